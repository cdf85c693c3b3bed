"""Tools as they are registered by tenants, and found by their ids."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from aispine.errors import Conflict, InvalidRequest, NotFound
from aispine.settings import Settings
from aispine.store import tools
from aispine.store.models import ToolRow
from aispine.tool import authorization, keys, record
from aispine.tool.authorization import FORMS
from aispine.tool.definition import Tool
from aispine.tool.record import Registered


def create(session: Session, tenant_id: str, values: Mapping[str, Any], settings: Settings) -> Registered:
    """Registers a tool. Raises `InvalidTool` with every problem, and `Conflict` when one of that id is there."""
    values = _given(values)
    keys.check(values)
    tool = _built(_asked(values, settings), settings)
    row = tools.add(session, tenant_id, tool.tool_id, record.definition(tool), tool.credential)
    if row is None:
        hint = f"`aispine tool update {tool.tool_id}` changes it."
        raise Conflict(f"there is a tool `{tool.tool_id}`", field="tool_id", hint=hint)
    return record.registered(row)


def update(session: Session, tenant_id: str, tool_id: str, values: Mapping[str, Any], settings: Settings) -> Registered:
    """Changes what is registered about a tool: what is left out stays, null forgets it."""
    row = _locked(session, tenant_id, tool_id)
    if values.get("tool_id", tool_id) != tool_id:
        raise InvalidRequest("`tool_id` cannot be changed", field="tool_id", hint="Register another tool.")
    auth = {"auth_config": _kept_auth(row, values.get("auth_config"), settings)} if "auth_config" in values else {}
    merged = _given({"tool_id": tool_id, **row.definition, **values, **auth})
    if not auth:
        merged["auth_config"] = _whole_auth(row, settings)
    keys.check(merged)
    tool = _built(merged, settings)
    tools.change(session, row, record.definition(tool), tool.credential)
    return record.registered(row)


def delete(session: Session, tenant_id: str, tool_id: str) -> None:
    """Deletes a tool. Raises `Conflict` while an execution may still call it."""
    _locked(session, tenant_id, tool_id)
    if tools.in_use(session, tenant_id, tool_id):
        raise Conflict(
            f"tool `{tool_id}` is used by an execution that has not ended",
            hint="Wait for it or cancel it: `aispine execution list --status running`.",
        )
    tools.remove(session, tenant_id, tool_id)


def show(session: Session, tenant_id: str, tool_id: str) -> Registered:
    """The tool. Raises `NotFound` with what may have been meant."""
    row = tools.find(session, tenant_id, tool_id)
    if row is None:
        raise _unknown(session, tenant_id, tool_id)
    return record.registered(row)


def list_tools(session: Session, tenant_id: str, *, after: str = "", limit: int = 50) -> list[Registered]:
    """Tools by their id, from the one after `after` on."""
    return [record.registered(row) for row in tools.page(session, tenant_id, after=after, limit=limit)]


def resolve(session: Session, tenant_id: str, tool_ids: Collection[str]) -> dict[str, Tool]:
    """Tools by their ids. Raises `NotFound` for the first that is not there."""
    found = {row.tool_id: record.value(row) for row in tools.named(session, tenant_id, tool_ids)}
    missing = next((tool_id for tool_id in tool_ids if tool_id not in found), None)
    if missing is not None:
        raise _unknown(session, tenant_id, missing)
    return found


def unknown(session: Session, tenant_id: str, tool_ids: Iterable[str]) -> dict[str, NotFound]:
    """For each id that no tool has, the error that says so."""
    wanted = set(tool_ids)
    there = {row.tool_id for row in tools.named(session, tenant_id, wanted)} if wanted else set()
    return {tool_id: _unknown(session, tenant_id, tool_id) for tool_id in sorted(wanted - there)}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _asked(values: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """What a tool of the older contract says of itself fills what the registration leaves out."""
    if values.get("contract") != "execute":
        return values
    from aispine.tool import probe  # Here, since looking a tool up must not load what speaks to one.

    return {**probe.ask(_built(values, settings), settings), **values}


def _built(values: Mapping[str, Any], settings: Settings) -> Tool:
    shown, secrets = authorization.split(values.get("auth_config") or {"type": "none"})
    return record.build({**values, "auth_config": shown}, credential=_sealed(secrets, settings))


def _sealed(secrets: Mapping[str, str], settings: Settings) -> str | None:
    if not secrets:
        return None
    from aispine.secrets import sealing

    return sealing.seal(json.dumps(secrets), settings.encryption_keys)


def _kept_auth(row: ToolRow, given: Any, settings: Settings) -> Any:
    """A new `auth_config`; a secret that it leaves out stays when the form is the same."""
    if given is None:
        return None
    stored = _whole_auth(row, settings)
    if not isinstance(given, Mapping) or given.get("type") != stored.get("type"):
        return given
    hidden = FORMS[stored["type"]].secret
    return {**{name: member for name, member in stored.items() if name in hidden}, **given}


def _whole_auth(row: ToolRow, settings: Settings) -> dict[str, Any]:
    from aispine.tool.call import opened

    return {**row.definition.get("auth_config", {"type": "none"}), **opened(row.credential, settings)}


def _locked(session: Session, tenant_id: str, tool_id: str) -> ToolRow:
    row = tools.find(session, tenant_id, tool_id, lock=True)
    if row is None:
        raise _unknown(session, tenant_id, tool_id)
    return row


def _unknown(session: Session, tenant_id: str, tool_id: str) -> NotFound:
    close = difflib.get_close_matches(tool_id[:100], tools.ids(session, tenant_id), n=1)
    hint = f"Did you mean `{close[0]}`?" if close else "`aispine tool list` shows the tools there are."
    return NotFound(f"there is no tool `{tool_id[:100]}`", field="tool_id", hint=hint)
