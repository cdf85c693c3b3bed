"""Call slots: nodes of an agent that takes so many calls at once stand in its line until one is free for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aispine.engine.advance import Held
from aispine.engine.queueing import LIMITS, SLOTS, agent_reference
from aispine.engine.terms import Terms
from aispine.flow.model import Node
from aispine.flow.plan import Plan
from aispine.flow.state import ExecutionState, NodeState
from aispine.store import call_slots, node_turns
from aispine.store.call_slots import Granted, Line
from aispine.store.database import Store

RESEND: Final = 10.0
"""Seconds after which a node that was let in is sent again: whoever let it in may have died before it sent it."""
_AT_LATEST: Final = 600.0
"""Seconds after which a node in a line is looked at again. Nobody waits for that: who ends a call lets the next in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinedUp:
    """What came of nodes that became ready: those that wait, and everybody else who was let in meanwhile."""

    waiting: frozenset[str] = frozenset()
    others: tuple[Granted, ...] = ()


def max_concurrency(spec: Node, execution: ExecutionState) -> int | None:
    """How many calls at once the agent of a node takes; None for any number."""
    if not spec.makes_call:
        return None
    found: int | None = execution.agents.get(agent_reference(spec), {}).get(SLOTS)
    return found


def line_up(
    store: Store, plan: Plan, execution: ExecutionState, queued: Sequence[str], tenant_id: str | None
) -> LinedUp:
    """Puts queued nodes into the lines of their agents; those that get no slot now are not due.

    `tenant_id` is for a login that sees one tenant only.
    """
    specs = {path: plan.node(path) for path in queued}
    limited = {path: spec for path, spec in specs.items() if max_concurrency(spec, execution) is not None}
    if not limited:
        return LinedUp()
    granted: list[Granted] = []
    with store.session(tenant_id) as session:
        for reference in sorted({agent_reference(spec) for spec in limited.values()}):
            paths = [path for path, spec in limited.items() if agent_reference(spec) == reference]
            line = _line(execution, limited[paths[0]])
            record = execution.agents[reference]
            call_slots.lock(session, line)
            most, limits = record[SLOTS], record.get(LIMITS, [])
            call_slots.line_up(session, line, execution.execution_id, paths, max_concurrency=most, limits=limits)
            granted += call_slots.grant(session, line, RESEND)
        waiting = call_slots.waiting(session, execution.execution_id, list(limited))
        if waiting:
            node_turns.defer(session, execution.execution_id, dict.fromkeys(waiting, _AT_LATEST))
    others = (each for each in granted if each.execution_id != execution.execution_id or each.path not in limited)
    return LinedUp(waiting=frozenset(waiting), others=tuple(others))


def enter(store: Store, held: Held, terms: Terms) -> bool:
    """Takes the slot that a claimed node was granted; False when it has none and must stand in line."""
    node = held.node
    return call_slots.enter(
        store, held.execution.execution_id, node.path, node.attempt, owner=terms.owner, lease=terms.lease
    )


def keep(store: Store, held: Held) -> None:
    """Leaves the slot to an agent that has accepted, until its answer comes or is not waited for any more."""
    call_slots.keep(store, held.execution.execution_id, held.node.path, held.node.attempt)


def leave(store: Store, execution: ExecutionState, spec: Node, node: NodeState, owner: str | None) -> list[Granted]:
    """Gives the slot of an attempt back; returns who is let in. `owner` is None where the agent had accepted."""
    line = _line(execution, spec)
    with store.session(execution.tenant_id) as session:
        call_slots.lock(session, line)
        call_slots.leave(session, execution.execution_id, node.path, node.attempt, owner)
        return call_slots.grant(session, line, RESEND)


def look(store: Store) -> list[Granted]:
    """Frees what dead processes held, and what nodes that have ended would have needed; returns who is let in."""
    granted: list[Granted] = []
    for line in call_slots.lines(store):
        with store.session(None) as session:
            call_slots.lock(session, line)
            call_slots.clear(session, line)
            granted += call_slots.grant(session, line, RESEND)
    return granted


def _line(execution: ExecutionState, spec: Node) -> Line:
    return Line(tenant_id=execution.tenant_id, agent_id=str(spec.agent_id))
