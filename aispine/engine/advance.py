"""Reads, decides and writes in one transaction: the only way in which a running execution changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from aispine import logs
from aispine.agent.contract import FailureCode
from aispine.engine import plans
from aispine.engine.decide import decide
from aispine.engine.facts import Aborted, Fact
from aispine.engine.ledger import MissingNodesError
from aispine.engine.terms import Terms
from aispine.errors import AISpineError
from aispine.flow.plan import Plan
from aispine.flow.state import ExecutionState, NodeState, Reading, Transition
from aispine.store import transitions
from aispine.store.database import Store
from aispine.store.prepared import Link
from aispine.store.transitions import Wanted

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A node that this process runs, and what it knows of the execution from the moment it took it."""

    node: NodeState
    execution: ExecutionState
    known: Mapping[str, NodeState]
    """Rows that it has seen, good for as long as the execution's `event_seq` stays."""


def claim(store: Store, execution_id: str, places: Sequence[str], terms: Terms) -> list[Held]:
    """Takes queued nodes for this process, in their order; those that are not to be had are left out."""
    with store.autocommit() as link:
        taken = transitions.claim(link, execution_id, places, owner=terms.owner, lease=terms.lease)
    if taken is None:
        return []
    store.clock.tell(taken.now)
    return [Held(node=node, execution=taken.execution, known={node.path: node}) for node in taken.nodes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """What the deciding process goes on with: `path`, if that is still queued, else so many nodes new on `queue`."""

    queue: str | None = None
    path: str | None = None
    most: int = 1


NOTHING: Final = Take()


def foresee(store: Store, held: Held, fact: Fact, terms: Terms, take: Take = NOTHING) -> Transition | None:
    """Decides on what this process knows since it took the node; None when that is not enough.

    While no other node is active, all that a decision needs is at hand. It holds only if it is written before the
    execution moves on.
    """
    if held.execution.active_nodes != 1:
        return None
    reading = Reading(execution=held.execution, nodes=held.known, now=store.clock.now())
    plan = plans.find(store, held.execution.flow_version_id)
    try:
        transition = _Question(facts=(fact,), terms=terms, take=take).answer(plan, reading)
    except MissingNodesError:
        return None
    except Exception:  # noqa: BLE001 - recorded, and decided again under the lock
        _log.warning("advance.speculation_failed", execution=held.execution.execution_id, exc_info=True)
        return None
    return transition if transitions.is_one_statement(transition) else None


def write(store: Store, before: ExecutionState, transition: Transition) -> bool:
    """Writes what was foreseen in one round trip; False when the execution has moved on, or it is too large."""
    try:
        with store.autocommit() as link:
            return transitions.write(link, before, transition, commit=False)
    except transitions.TransitionTooLargeError:
        return False


def advance(
    store: Store,
    execution_id: str,
    facts: Iterable[Fact],
    terms: Terms,
    *,
    rows: Iterable[str] = (),
    take: Take = NOTHING,
    tenant_id: str | None = None,
    divisible: bool = False,
) -> Transition | None:
    """Locks the execution, applies the facts and writes what follows; None when there is no such execution.

    `rows` come with the first read: those that the decision will surely ask for; `tenant_id` is for a login that sees
    one tenant only. What the transition lists as queued has to be sent by the caller afterwards.
    With `divisible` facts, which can be told one by one as well, raises `TransitionTooLargeError` when they are too
    much together; otherwise that ends the execution.
    """
    question = _Question(facts=tuple(facts), terms=terms, take=take)
    wanted = Wanted(paths=frozenset(rows), take=take.path)
    while True:
        try:
            return _locked(store, execution_id, question, wanted, tenant_id)
        except plans.NotLoadedError as missing:
            # Loading needs a connection, and to wait for a second one while holding the first could last for ever.
            plans.find(store, missing.flow_version_id, tenant_id)
        except transitions.TransitionTooLargeError as error:
            if divisible:
                raise
            question = _abort(FailureCode.TOO_LARGE, str(error), terms)
        except (AISpineError, psycopg2.Error, SQLAlchemyError):
            raise
        except Exception as error:
            # Whoever asks again would fail in the same way: the execution ends instead of coming back for ever.
            if tenant_id is not None or isinstance(question.facts[0], Aborted):
                raise
            _log.exception("advance.failed", execution=execution_id)
            question = _abort(FailureCode.INTERNAL_ERROR, f"the next step cannot be decided: {error!r}", terms)


def _abort(code: FailureCode, message: str, terms: Terms) -> _Question:
    return _Question(facts=(Aborted(code=str(code), message=message[:500]),), terms=terms, take=NOTHING)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    """What is to be decided."""

    facts: tuple[Fact, ...]
    terms: Terms
    take: Take

    def answer(self, plan: Plan, reading: Reading) -> Transition:
        take = self.take
        return decide(plan, reading, self.facts, self.terms, take_from=take.queue, take_path=take.path, most=take.most)


def _locked(
    store: Store, execution_id: str, question: _Question, wanted: Wanted, tenant_id: str | None
) -> Transition | None:
    with store.autocommit() as link:
        try:
            reading = transitions.lock_and_read(link, execution_id, wanted, tenant_id=tenant_id)
            if reading is None:
                transitions.end(link)
                return None
            plan = plans.loaded(store, reading.execution.flow_version_id)
            reading, transition = _decide(link, plan, reading, question, wanted)
            if transition.empty:
                transitions.end(link)
            else:
                transitions.write(link, reading.execution, transition, commit=True)
        except BaseException:
            if link.usable:
                transitions.end(link)
            raise
    store.clock.tell(reading.now)
    return transition


def held_after(transition: Transition) -> list[Held]:
    """The nodes that the deciding process took with the transition, ready to run."""
    execution, known = transition.execution, transition.known
    taken = (transition.nodes[path] for path in transition.claimed)
    return [Held(node=node, execution=execution, known={**known, node.path: node}) for node in taken]


def next_after(transition: Transition) -> Held | None:
    """The same where it takes one at most."""
    return next(iter(held_after(transition)), None)


def _decide(
    link: Link, plan: Plan, reading: Reading, question: _Question, wanted: Wanted
) -> tuple[Reading, Transition]:
    """Decides on a locked execution, reading more rows for as long as the decision asks for them."""
    while True:
        try:
            return reading, question.answer(plan, reading)
        except MissingNodesError as missing:
            wanted |= Wanted(
                paths=missing.paths,
                all_open=missing.all_open,
                everything=missing.everything,
                signals=missing.signals,
            )
            reading = transitions.read(link, reading.execution.execution_id, wanted)
