"""The rows of tools and the values they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aispine.store.models import ToolRow
from aispine.tool.definition import NO_AUTH, Tool

_KEPT: Final = ("name", "description", "endpoint", "contract", "method", "headers", "input_schema", "output_schema")


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A tool as its tenant sees it."""

    tool: Tool
    created_at: datetime
    updated_at: datetime

    @property
    def tool_id(self) -> str:
        return self.tool.tool_id

    def as_dict(self) -> dict[str, Any]:
        """The form for the API, without what is secret."""
        tool = self.tool
        return {
            "tool_id": tool.tool_id,
            **{name: getattr(tool, name) for name in (*_KEPT, "timeout")},
            "auth_config": dict(tool.auth),
            "has_secret": tool.credential is not None,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def build(values: Mapping[str, Any], *, credential: str | None = None) -> Tool:
    """The value of a registration that was found valid; its `auth_config` is what may be shown."""
    known = {name: values[name] for name in (*_KEPT, "timeout") if values.get(name) is not None}
    auth = values.get("auth_config") or NO_AUTH
    tool_id = values["tool_id"]
    return Tool(**{"name": tool_id, **known}, tool_id=tool_id, auth=dict(auth), credential=credential)


def definition(tool: Tool) -> dict[str, Any]:
    """What is stored; `build` reads it again."""
    values = {name: getattr(tool, name) for name in (*_KEPT, "timeout")}
    told = {name: value for name, value in values.items() if value not in (None, {})}
    return {**told, "auth_config": dict(tool.auth)}


def value(row: ToolRow) -> Tool:
    """The value that a row stands for."""
    return build({"tool_id": row.tool_id, **row.definition}, credential=row.credential)


def registered(row: ToolRow) -> Registered:
    return Registered(tool=value(row), created_at=row.created_at, updated_at=row.updated_at)
