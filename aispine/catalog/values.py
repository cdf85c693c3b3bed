"""What the catalog holds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aispine.flow.model import Flow


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowEntry:
    """A flow as a list shows it; `version` is the highest one."""

    flow_id: str
    name: str
    description: str | None
    version: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionEntry:
    """One immutable version without its content; `name` is the flow's."""

    flow_version_id: int
    flow_id: str
    version: str
    name: str
    content_hash: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowVersion:
    """One immutable version with the flow that its file says."""

    entry: VersionEntry
    flow: Flow

    @property
    def flow_version_id(self) -> int:
        return self.entry.flow_version_id

    @property
    def flow_id(self) -> str:
        return self.entry.flow_id

    @property
    def version(self) -> str:
        return self.entry.version
