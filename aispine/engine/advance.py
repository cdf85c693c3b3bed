"""Reads, decides and writes in one transaction: the only way in which a running execution changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from aispine.engine import plans
from aispine.engine.decide import decide
from aispine.engine.facts import Fact
from aispine.engine.ledger import MissingNodesError
from aispine.engine.terms import Terms
from aispine.flow.plan import Plan
from aispine.flow.state import ExecutionState, NodeState, Reading, Transition
from aispine.store import transitions
from aispine.store.database import Store
from aispine.store.transitions import Wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A node that this process runs, and what it knows of the execution from the moment it took it."""

    node: NodeState
    execution: ExecutionState
    known: Mapping[str, NodeState]
    """Rows that it has seen, good for as long as the execution's `event_seq` stays."""


def claim(store: Store, execution_id: str, path: str, terms: Terms) -> Held | None:
    """Takes a queued node for this process; None when there is nothing to take."""
    with store.autocommit() as connection:
        taken = transitions.claim(connection, execution_id, path, owner=terms.owner, lease=terms.lease)
    if taken is None:
        return None
    store.clock.tell(taken.now)
    return Held(node=taken.node, execution=taken.execution, known={taken.node.path: taken.node})


def finish(
    store: Store, held: Held, facts: Iterable[Fact], terms: Terms, *, take_from: str | None = None
) -> Transition | None:
    """Applies what happened to a held node.

    While no other node is active, all that a decision needs is at hand: it is written in one round trip
    unless the execution has moved on. Otherwise the execution is locked, read, decided and written.
    """
    facts = tuple(facts)
    if held.execution.active_nodes == 1:
        transition = _speculate(store, held, facts, terms, take_from)
        if transition is not None:
            return transition
    return advance(store, held.execution.execution_id, facts, terms, path=held.node.path, take_from=take_from)


def advance(
    store: Store,
    execution_id: str,
    facts: Iterable[Fact],
    terms: Terms,
    *,
    path: str | None = None,
    take_from: str | None = None,
    tenant_id: str | None = None,
) -> Transition | None:
    """Locks the execution, applies the facts and writes what follows; None when there is no such execution.

    `path` names the node that the facts are about, so that its rows come with the first read; `tenant_id` is for a
    login that sees one tenant only. What the transition lists as queued has to be sent by the caller afterwards.
    """
    facts = tuple(facts)
    while True:
        try:
            return _locked(store, execution_id, facts, terms, path, take_from, tenant_id)
        except plans.NotLoadedError as missing:
            # Loading needs a connection, and to wait for a second one while holding the first could last for ever.
            plans.find(store, missing.flow_version_id, tenant_id)


def _locked(
    store: Store,
    execution_id: str,
    facts: tuple[Fact, ...],
    terms: Terms,
    path: str | None,
    take_from: str | None,
    tenant_id: str | None,
) -> Transition | None:
    with store.autocommit() as connection:
        try:
            reading = transitions.lock_and_read(connection, execution_id, _first(path), tenant_id=tenant_id)
            if reading is None:
                transitions.end(connection)
                return None
            plan = plans.loaded(reading.execution.flow_version_id)
            reading, transition = _decide(connection, plan, reading, facts, terms, take_from)
            if transition.empty:
                transitions.end(connection)
            else:
                transitions.write(connection, reading.execution, transition, commit=True)
        except BaseException:
            if not connection.invalidated and not connection.closed:
                transitions.end(connection)
            raise
    return transition


def held_after(transition: Transition) -> Held | None:
    """The node that the deciding process took with the transition, ready to run."""
    if transition.claimed is None:
        return None
    node = replace(transition.nodes[transition.claimed], stored=True)
    known = {path: replace(other, stored=True) for path, other in transition.known.items()}
    return Held(node=node, execution=transition.execution, known={**known, node.path: node})


def _speculate(
    store: Store, held: Held, facts: tuple[Fact, ...], terms: Terms, take_from: str | None
) -> Transition | None:
    reading = Reading(execution=held.execution, nodes=held.known, now=store.clock.now())
    plan = plans.find(store, held.execution.flow_version_id)
    try:
        transition = decide(plan, reading, facts, terms, take_from=take_from)
    except MissingNodesError:
        return None
    if not transitions.is_one_statement(transition):
        return None
    with store.autocommit() as connection:
        written = transitions.write(connection, held.execution, transition, commit=False)
    return transition if written else None


def _first(path: str | None) -> set[str]:
    return set() if path is None else {path}


def _decide(
    connection: Connection,
    plan: Plan,
    reading: Reading,
    facts: tuple[Fact, ...],
    terms: Terms,
    take_from: str | None,
) -> tuple[Reading, Transition]:
    """Decides on a locked execution, reading more rows for as long as the decision asks for them."""
    wanted = Wanted(paths=frozenset(reading.nodes))
    while True:
        try:
            return reading, decide(plan, reading, facts, terms, take_from=take_from)
        except MissingNodesError as missing:
            wanted |= Wanted(
                paths=missing.paths,
                all_open=missing.all_open,
                everything=missing.everything,
                signals=missing.signals,
            )
            reading = transitions.read(connection, reading.execution.execution_id, wanted)
