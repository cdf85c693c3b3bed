"""The rows of agents and the values they stand for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine.agent import manifest
from aispine.agent.definition import KINDS, AgentVersion, Kind
from aispine.agent.folder import is_built_in
from aispine.flow import semver
from aispine.flow.standing import AgentStatus, AgentType
from aispine.store import agents
from aispine.store.models import PLATFORM, AgentVersionRow

_BUILT_IN: Final = "built_in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """An agent as a tenant sees it: its newest version, active if there is one, and which versions flows can ask for.

    `deprecation` says what to use instead; None unless the version is deprecated.
    """

    agent: AgentVersion
    type: AgentType
    status: AgentStatus
    created_at: datetime
    status_reason: str | None = None
    deprecation: str | None = None
    versions: tuple[str, ...] = ()

    @property
    def official(self) -> bool:
        return self.type is AgentType.OFFICIAL

    def as_dict(self) -> dict[str, Any]:
        """The form for the API: without the key, and without paths of a machine."""
        return {
            **manifest.as_definition(self.agent),
            "kind": self.agent.kind,
            "pool": self.agent.pool,
            "type": self.type.value,
            "status": self.status.value,
            "status_reason": self.status_reason,
            "deprecated": self.deprecation is not None,
            "deprecation": self.deprecation,
            "official": self.official,
            "has_api_key": self.agent.credential is not None,
            "versions": list(self.versions),
            "created_at": self.created_at.isoformat(),
        }


def current(rows: Iterable[AgentVersionRow]) -> list[AgentVersionRow]:
    """Those that are not retired."""
    return [row for row in rows if row.retired_at is None]


def found(rows: Iterable[AgentVersionRow]) -> list[AgentVersionRow]:
    """Those that new executions find: active ones, and suspended ones, which wait or fail."""
    return [row for row in current(rows) if AgentStatus(row.status).found]


def active(rows: Iterable[AgentVersionRow]) -> list[AgentVersionRow]:
    """Those that work."""
    return [row for row in found(rows) if row.status == AgentStatus.ACTIVE]


def visible(rows: Sequence[AgentVersionRow]) -> list[AgentVersionRow]:
    """Of one agent's rows, the tenant's own when there are any."""
    own = [row for row in rows if row.tenant_id != PLATFORM]
    return own or list(rows)


def choice(rows: Sequence[AgentVersionRow], range_: str = semver.ANY) -> AgentVersionRow | None:
    """The version of one agent's rows that a range means: the highest, of the active ones if there are any, and of
    those that are not deprecated before all; None when none lies in the range."""
    working = active(rows)
    fresh = [row for row in working if row.deprecated_at is None]
    for group in (fresh, working, found(rows)):
        best = semver.best(range_, [row.version for row in group])
        if best is not None:
            return next(row for row in group if row.version == best)
    return None


def highest(rows: Sequence[AgentVersionRow]) -> AgentVersionRow:
    """The highest version, pre-releases included, of the active rows if there are any."""
    return max(active(rows) or found(rows) or rows, key=lambda row: semver.parse_version(row.version).precedence_key)


def registered(rows: Sequence[AgentVersionRow]) -> Registered:
    """One agent's rows as its tenant sees them."""
    shown = highest(rows)
    return Registered(
        agent=value(shown),
        type=AgentType(shown.type),
        status=AgentStatus(shown.status),
        status_reason=shown.status_reason,
        deprecation=deprecation(shown),
        created_at=rows[0].created_at,
        versions=tuple(row.version for row in found(rows)),
    )


def deprecation(row: AgentVersionRow) -> str | None:
    """What a deprecated version says of itself."""
    return None if row.deprecated_at is None else row.deprecation or "it is deprecated"


def value(row: AgentVersionRow) -> AgentVersion:
    """The value that a row stands for."""
    kind: Kind = next(kind for kind in KINDS if kind == row.kind)
    folder = row.definition.get("folder")
    return manifest.build(row.definition, kind=kind, folder=folder, credential=row.credential)


def save(session: Session, tenant_id: str, agent: AgentVersion, status: AgentStatus = AgentStatus.ACTIVE) -> None:
    """Makes or replaces the rows of an agent and its version; `status` is that of a new one."""
    agents.save_agent(session, tenant_id, agent.agent_id, agent.name, agent.description)
    agents.save_version(
        session,
        {
            "tenant_id": tenant_id,
            "agent_id": agent.agent_id,
            "version": agent.version,
            "kind": agent.kind,
            "type": (AgentType.OFFICIAL if is_built_in(agent.folder) else AgentType.PRIVATE).value,
            "status": status.value,
            "pool": agent.pool,
            "capabilities": list(agent.capabilities),
            "definition": _definition(agent),
            "credential": agent.credential,
            "content_hash": content_hash(agent),
        },
    )


def _definition(agent: AgentVersion) -> dict[str, Any]:
    """What is stored: where the folder is too, and whether it came with AI Spine, which other machines cannot tell."""
    place = {"folder": agent.folder, _BUILT_IN: is_built_in(agent.folder)} if agent.folder else {}
    return manifest.as_definition(agent) | place


def content_hash(agent: AgentVersion) -> str:
    """Tells whether two registrations say the same; the API key is no part of it."""
    return hashlib.sha256(json.dumps(_definition(agent), sort_keys=True).encode()).hexdigest()
