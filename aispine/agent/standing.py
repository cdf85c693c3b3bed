"""Changing how versions of an agent stand: suspending and activating them, testing them, deprecating them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Session

from aispine.agent import record
from aispine.errors import Conflict, Forbidden, NotFound
from aispine.flow import semver
from aispine.flow.standing import TRANSITIONS, Actor, AgentStatus, AgentType, who_may
from aispine.store import agents
from aispine.store.models import PLATFORM, AgentVersionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Governor:
    """Who changes how an agent stands: its tenant, and whether it may speak for the platform."""

    tenant_id: str
    platform: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionView:
    """One version as people see it; `status_by` is who changed its status last, None for a new one."""

    version: str
    kind: str
    type: AgentType
    status: AgentStatus
    status_by: Actor | None
    status_reason: str | None
    status_at: datetime | None
    deprecation: str | None
    deprecated_at: datetime | None
    retired_at: datetime | None
    created_at: datetime

    @property
    def deprecated(self) -> bool:
        return self.deprecated_at is not None


def versions(session: Session, tenant_id: str, agent_id: str) -> list[VersionView]:
    """Every version of the agent that the tenant sees, the highest first, retired ones too. Raises `NotFound`."""
    rows = agents.versions(session, tenant_id, agent_id)
    if not rows:
        raise _unknown(agent_id)
    shown = record.visible(record.found(rows) or rows)[0].tenant_id
    return _ordered(row for row in rows if row.tenant_id in {shown, tenant_id})


def move(
    session: Session,
    governor: Governor,
    agent_id: str,
    after: AgentStatus,
    *,
    version: str | None = None,
    reason: str | None = None,
    owner: str | None = None,
) -> list[VersionView]:
    """Leads a version, or every version that may go there, to another status; returns those that went.

    Again is no error. `owner` is the tenant whose agent it is, for the platform alone. Raises `NotFound`, `Conflict`
    when no way leads there, and `Forbidden` when the way is not the governor's.
    """
    rows, actors = _held(session, governor, agent_id, version, owner)
    going = [row for row in rows if row.status != after]
    if version is None:
        going = _meant([row for row in going if _leads(row, after)])
    if not going and not any(row.status == after for row in rows):
        raise _no_way(rows, after)
    for row in going:
        _move(row, after, actors, reason)
    session.flush()
    return _refreshed(session, going)


def deprecate(
    session: Session,
    governor: Governor,
    agent_id: str,
    *,
    version: str | None = None,
    message: str | None = None,
    wanted: bool = True,
    owner: str | None = None,
) -> list[VersionView]:
    """Says of a version, or of all, that flows should use another, or takes that back. Raises as `move`."""
    rows, _ = _held(session, governor, agent_id, version, owner)
    for row in rows:
        row.deprecated_at = func.clock_timestamp() if wanted else None
        row.deprecation = message if wanted else None
    session.flush()
    return _refreshed(session, rows)


def _held(
    session: Session, governor: Governor, agent_id: str, version: str | None, owner: str | None
) -> tuple[list[AgentVersionRow], frozenset[Actor]]:
    """The rows in question and in whose name they may be changed: first the governor's own, then the platform's."""
    if owner not in {None, governor.tenant_id} and not governor.platform:
        raise Forbidden("only who governs agents may name another tenant", field="tenant_id")
    if governor.platform:
        agents.govern(session)
    owners = (governor.tenant_id, PLATFORM) if owner is None else (owner,)
    held = next((found for each in owners if (found := agents.owned(session, each, agent_id))), ())
    if not held:
        if any(row.tenant_id == PLATFORM for row in agents.versions(session, governor.tenant_id, agent_id)):
            raise Forbidden(
                f"agent `{agent_id}` is the platform's", hint="A key with the permission `agents:govern` may change it."
            )
        raise _unknown(agent_id)
    rows = [row for row in held if version is None or row.version == version]
    if not rows:
        known = ", ".join(row.version for row in held)
        raise NotFound(f"agent `{agent_id}` has no version {version}", field="version", hint=f"There are: {known}.")
    own = {Actor.OWNER} if held[0].tenant_id == governor.tenant_id else set()
    return rows, frozenset(own | ({Actor.PLATFORM} if governor.platform else set()))


def _leads(row: AgentVersionRow, after: AgentStatus) -> bool:
    return bool(who_may(AgentStatus(row.status), after))


def _meant(rows: list[AgentVersionRow]) -> list[AgentVersionRow]:
    """Who names no version and activates an agent means what was suspended, and no draft beside it."""
    return [row for row in rows if row.status == AgentStatus.SUSPENDED] or rows


def _move(row: AgentVersionRow, after: AgentStatus, actors: frozenset[Actor], reason: str | None) -> None:
    before = AgentStatus(row.status)
    if not who_may(before, after):
        raise _no_way([row], after)
    able = who_may(before, after) & actors
    if before is AgentStatus.SUSPENDED and row.status_by == Actor.PLATFORM:
        able &= {Actor.PLATFORM}
    if not able:
        raise Forbidden(f"only the platform may lead version {row.version} from {before} to {after}", field="status")
    row.status = after.value
    row.status_by = (Actor.OWNER if Actor.OWNER in able else Actor.PLATFORM).value
    row.status_reason = reason
    row.status_at = func.clock_timestamp()
    if after is AgentStatus.VERIFIED and row.type == AgentType.PRIVATE:
        row.type = AgentType.VERIFIED.value
    if after is AgentStatus.DRAFT and row.type == AgentType.VERIFIED:
        row.type = AgentType.PRIVATE.value


def _no_way(rows: Iterable[AgentVersionRow], after: AgentStatus) -> Conflict:
    row = max(rows, key=lambda each: semver.parse_version(each.version).precedence_key)
    ways = ", ".join(TRANSITIONS[AgentStatus(row.status)])
    return Conflict(
        f"version {row.version} is {row.status}, from which no way leads to {after}",
        field="status",
        hint=f"It can become: {ways}.",
    )


def _refreshed(session: Session, rows: Sequence[AgentVersionRow]) -> list[VersionView]:
    for row in rows:
        session.refresh(row)
    return _ordered(rows)


def _ordered(rows: Iterable[AgentVersionRow]) -> list[VersionView]:
    return [
        _view(row)
        for row in sorted(rows, key=lambda row: semver.parse_version(row.version).precedence_key, reverse=True)
    ]


def _view(row: AgentVersionRow) -> VersionView:
    return VersionView(
        version=row.version,
        kind=row.kind,
        type=AgentType(row.type),
        status=AgentStatus(row.status),
        status_by=Actor(row.status_by) if row.status_by else None,
        status_reason=row.status_reason,
        status_at=row.status_at,
        deprecation=row.deprecation,
        deprecated_at=row.deprecated_at,
        retired_at=row.retired_at,
        created_at=row.created_at,
    )


def _unknown(agent_id: str) -> NotFound:
    return NotFound(
        f"there is no agent `{agent_id}`", field="agent_id", hint="`aispine agent list` shows the agents there are."
    )
