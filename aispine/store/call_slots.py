"""Call slots: an agent that takes so many calls at once has a line, and who ends a call lets the next one in.

All that hands slots out is done under a lock of the agent, so that they are counted; leaving the line is not. A slot
belongs to one attempt. From its grant until the call begins, and from an agent's acceptance until its answer, the row
of the node says whether the slot is still wanted; in between its process holds it under a lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from aispine.store.database import Store, dumps
from aispine.store.prepared import Statement

Rates = Sequence[Sequence[Any]]
"""What limits a call besides: `[name, count, seconds]`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """The line of an agent, for calls of one tenant."""

    tenant_id: str
    agent_id: str

    @property
    def values(self) -> dict[str, Any]:
        return {"tenant_id": self.tenant_id, "agent_id": self.agent_id}


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """A node that has just been given a slot, and needs a message."""

    tenant_id: str
    execution_id: str
    path: str
    flow_id: str
    queue: str
    limits: Rates


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a node stands in the line of its agent: behind `ahead` others."""

    agent_id: str
    max_concurrency: int
    ahead: int


def lock(session: Session, line: Line) -> None:
    """Lets nobody else hand out slots of the agent until the transaction ends."""
    session.execute(_LOCK, line.values)


def line_up(
    session: Session, line: Line, execution_id: str, paths: Sequence[str], *, max_concurrency: int, limits: Rates
) -> None:
    """Puts queued nodes at the end of the line, in their order; those that stand in it keep their places."""
    values = {"execution_id": execution_id, "paths": list(paths), "most": max_concurrency, "limits": dumps(limits)}
    session.execute(_LINE_UP, {**line.values, **values})


def grant(session: Session, line: Line, resend: float) -> list[Granted]:
    """Gives what is free to those who wait longest; a message that is lost is sent again after `resend` seconds."""
    rows = session.execute(_GRANT, {**line.values, "resend": resend}).all()
    found = [(row.ticket, _granted(line, row)) for row in rows]
    return [granted for _, granted in sorted(found, key=lambda each: each[0])]


def waiting(session: Session, execution_id: str, paths: Sequence[str]) -> list[str]:
    """Those of the queued nodes that stand in a line."""
    found = session.execute(_WAITING, {"execution_id": execution_id, "paths": list(paths)})
    return [row.path for row in found]


def leave(session: Session, execution_id: str, path: str, attempt: int, owner: str | None) -> None:
    """Gives a slot back; None is the owner of one whose agent had accepted."""
    values = {"execution_id": execution_id, "path": path, "attempt": attempt, "owner": owner}
    session.execute(_LEAVE, values)


def clear(session: Session, line: Line) -> None:
    """Frees what nobody needs: the slots of processes that died, and of nodes that ended or were paused before."""
    session.execute(_CLEAR, line.values)


def lines(store: Store) -> list[Line]:
    """The lines in which somebody stands."""
    with store.autocommit() as link:
        return [Line(tenant_id=row.tenant_id, agent_id=row.agent_id) for row in _LINES.all(link)]


def enter(store: Store, execution_id: str, path: str, attempt: int, *, owner: str, lease: float) -> bool:
    """Takes the slot that was granted to an attempt for a process; False when it has none."""
    with store.autocommit() as link:
        return _ENTER.one(link, execution_id, path, attempt, owner, lease) is not None


def keep(store: Store, execution_id: str, path: str, attempt: int) -> None:
    """Leaves a slot to an agent that has accepted; it is held for as long as the node waits."""
    with store.autocommit() as link:
        _KEEP.run(link, execution_id, path, attempt)


def renew(store: Store, owner: str, lease: float) -> None:
    """Moves the end of all slots of a process to `lease` seconds from now."""
    with store.autocommit() as link:
        _RENEW.run(link, owner, lease)


def give_up(store: Store, owners: Sequence[str]) -> None:
    """Gives back all that some processes hold, which have to stop; the tick lets the next ones in."""
    with store.autocommit() as link:
        _GIVE_UP.run(link, list(owners))


def spare(store: Store, seconds: float) -> None:
    """Lets every slot whose lease has ended be held for some seconds more."""
    with store.autocommit() as link:
        _SPARE.run(link, seconds)


def sweep(store: Store, limit: int) -> int:
    """Takes out of the lines what is not queued any more, and what died in one where nobody stands."""
    with store.autocommit() as link:
        return len(_SWEEP.all(link, limit))


def places(session: Session, execution_id: str) -> dict[str, Place]:
    """Where the nodes of an execution stand, by their paths."""
    return {
        row.path: Place(agent_id=row.agent_id, max_concurrency=row.max_concurrency, ahead=row.ahead)
        for row in session.execute(_PLACES, {"execution_id": execution_id})
    }


def _granted(line: Line, row: Any) -> Granted:
    return Granted(
        tenant_id=line.tenant_id,
        execution_id=str(row.execution_id),
        path=row.path,
        flow_id=row.flow_id,
        queue=row.queue,
        limits=row.limits,
    )


_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('call_slots/' || :tenant_id || '/' || :agent_id, 0))"
)
_LINE_UP: Final = text(
    """
    INSERT INTO call_slots (tenant_id, agent_id, execution_id, path, attempt, max_concurrency, limits)
    SELECT :tenant_id, :agent_id, n.execution_id, n.path, n.attempt + 1, :most, CAST(:limits AS json)
    FROM unnest(CAST(:paths AS text[])) WITH ORDINALITY AS asked(path, place)
    JOIN node_executions n ON n.execution_id = :execution_id AND n.path = asked.path AND n.status = 'queued'
    ORDER BY asked.place
    ON CONFLICT (execution_id, path, attempt) DO NOTHING
    """
)
_STANDS: Final = "n.status = 'queued' AND n.attempt = s.attempt - 1 AND e.status IN ('running', 'waiting')"
# Who stands first decides how many are free, since flows that started before may know another limit. A node that
# somebody changes just now is passed over: waiting for it could deadlock with a cancel.
_GRANT: Final = text(
    f"""
    WITH head AS (
      SELECT s.max_concurrency - (
        SELECT count(*) FROM call_slots h
        WHERE h.tenant_id = :tenant_id AND h.agent_id = :agent_id AND h.granted_at IS NOT NULL
      ) AS free
      FROM call_slots s WHERE s.tenant_id = :tenant_id AND s.agent_id = :agent_id AND s.granted_at IS NULL
      ORDER BY s.ticket LIMIT 1
    ), next AS MATERIALIZED (
      SELECT s.execution_id, s.path, s.attempt, e.flow_id
      FROM call_slots s
      JOIN node_executions n ON n.execution_id = s.execution_id AND n.path = s.path
      JOIN executions e ON e.execution_id = s.execution_id
      WHERE s.tenant_id = :tenant_id AND s.agent_id = :agent_id AND s.granted_at IS NULL AND {_STANDS}
      ORDER BY s.ticket LIMIT GREATEST((SELECT free FROM head), 0)
      FOR NO KEY UPDATE OF n SKIP LOCKED
    ), called AS (
      UPDATE node_executions n
      SET queued_at = clock_timestamp(), due_at = clock_timestamp() + :resend * interval '1 second'
      FROM next WHERE n.execution_id = next.execution_id AND n.path = next.path
      RETURNING n.execution_id, n.path, n.queue
    )
    UPDATE call_slots s SET granted_at = clock_timestamp()
    FROM next JOIN called ON called.execution_id = next.execution_id AND called.path = next.path
    WHERE s.execution_id = next.execution_id AND s.path = next.path AND s.attempt = next.attempt
    RETURNING s.ticket, s.execution_id, s.path, s.limits, next.flow_id, called.queue
    """
)
_WAITING: Final = text(
    """
    SELECT s.path FROM call_slots s
    JOIN node_executions n ON n.execution_id = s.execution_id AND n.path = s.path AND n.attempt = s.attempt - 1
    WHERE s.execution_id = :execution_id AND s.path = ANY(:paths) AND s.granted_at IS NULL
    """
)
_LEAVE: Final = text(
    """
    DELETE FROM call_slots
    WHERE execution_id = :execution_id AND path = :path AND attempt = :attempt AND granted_at IS NOT NULL
      AND lease_owner IS NOT DISTINCT FROM CAST(:owner AS text)
    """
)
_WANTED: Final = f"""
    CASE WHEN s.lease_owner IS NOT NULL THEN s.expires_at > clock_timestamp() ELSE EXISTS (
      SELECT FROM node_executions n JOIN executions e ON e.execution_id = n.execution_id
      WHERE n.execution_id = s.execution_id AND n.path = s.path
        AND ({_STANDS} OR n.status IN ('running', 'waiting') AND n.attempt = s.attempt)
    ) END
"""
_CLEAR: Final = text(
    f"""
    DELETE FROM call_slots s
    WHERE s.tenant_id = :tenant_id AND s.agent_id = :agent_id AND s.granted_at IS NOT NULL AND NOT {_WANTED}
    """
)
_PLACES: Final = text(
    """
    SELECT path, agent_id, max_concurrency, ahead FROM (
      SELECT s.*, row_number() OVER (PARTITION BY tenant_id, agent_id ORDER BY ticket) - 1 AS ahead
      FROM call_slots s
      WHERE granted_at IS NULL
        AND (tenant_id, agent_id) IN (SELECT tenant_id, agent_id FROM call_slots WHERE execution_id = :execution_id)
    ) line
    WHERE execution_id = :execution_id
    """
)
_LINES: Final = Statement(
    "lines_of_call_slots", "", "SELECT DISTINCT tenant_id, agent_id FROM call_slots WHERE granted_at IS NULL"
)
_ENTER: Final = Statement(
    "enter_call_slot",
    "uuid, text, smallint, text, double precision",
    """
    UPDATE call_slots SET lease_owner = $4, expires_at = clock_timestamp() + $5 * interval '1 second'
    WHERE execution_id = $1 AND path = $2 AND attempt = $3 AND granted_at IS NOT NULL RETURNING 1
    """,
)
_KEEP: Final = Statement(
    "keep_call_slot",
    "uuid, text, smallint",
    """
    UPDATE call_slots SET lease_owner = NULL, expires_at = NULL WHERE execution_id = $1 AND path = $2 AND attempt = $3
    """,
)
_RENEW: Final = Statement(
    "renew_call_slots",
    "text, double precision",
    """
    UPDATE call_slots s SET expires_at = clock_timestamp() + $2 * interval '1 second'
    FROM (
      SELECT execution_id, path, attempt FROM call_slots WHERE lease_owner = $1 FOR NO KEY UPDATE SKIP LOCKED
    ) held
    WHERE s.execution_id = held.execution_id AND s.path = held.path AND s.attempt = held.attempt
    """,
)
_GIVE_UP: Final = Statement(
    "give_up_call_slots",
    "text[]",
    """
    DELETE FROM call_slots WHERE (execution_id, path, attempt) IN (
      SELECT execution_id, path, attempt FROM call_slots WHERE lease_owner = ANY($1) FOR UPDATE SKIP LOCKED
    )
    """,
)
_SPARE: Final = Statement(
    "spare_call_slots",
    "double precision",
    """
    UPDATE call_slots s SET expires_at = clock_timestamp() + $1 * interval '1 second'
    FROM (
      SELECT execution_id, path, attempt FROM call_slots
      WHERE lease_owner IS NOT NULL AND expires_at <= clock_timestamp() FOR NO KEY UPDATE SKIP LOCKED
    ) ended
    WHERE s.execution_id = ended.execution_id AND s.path = ended.path AND s.attempt = ended.attempt
    """,
)
_SWEEP: Final = Statement(
    "sweep_call_slots",
    "int",
    f"""
    DELETE FROM call_slots WHERE (execution_id, path, attempt) IN (
      SELECT s.execution_id, s.path, s.attempt FROM call_slots s WHERE NOT {_WANTED} LIMIT $1 FOR UPDATE SKIP LOCKED
    ) RETURNING 1
    """,
)
