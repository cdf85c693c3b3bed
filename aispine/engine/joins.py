"""Joins: where branches meet, by the strategy that says how many are enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aispine.agent.contract import FailureCode
from aispine.engine import containers, scope
from aispine.engine.ending import (
    BLOCKED,
    GUARD,
    NO_LIVE_EDGE,
    cancel,
    cancel_inside,
    complete,
    describe,
    expression_error,
    fail,
    is_blocked,
    settle,
    skip,
)
from aispine.engine.ledger import Ledger
from aispine.errors import ExpressionError
from aispine.flow import paths
from aispine.flow.model import Join, NodeType
from aispine.flow.plan import Edge, EdgeKind
from aispine.flow.state import NodeState
from aispine.flow.status import NodeStatus

NOT_NEEDED: Final = "not needed"
"""Why a node was cancelled whose join had enough without it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How the branches of a join stand."""

    live: int
    failed: int
    unsettled: int

    @property
    def possible(self) -> int:
        return self.live + self.unsettled


def resolve(ledger: Ledger, path: str, join: Join) -> None:
    """Completes, fails or skips a join as soon as its strategy can tell; otherwise it goes on waiting."""
    if _is_unchosen(ledger, path):
        _skip_unchosen(ledger, path)
        return
    count, wanted = _count(ledger, path), _wanted(join)
    enough = count.live >= (wanted or 1) and not (wanted is None and count.unsettled)
    if not enough and count.unsettled and (wanted is None or count.possible >= wanted or not count.failed):
        return
    if join.strategy == "all_complete" and count.failed:
        skip(ledger, path, BLOCKED)
    elif not count.live and not count.failed:
        skip(ledger, path, NO_LIVE_EDGE)
    else:
        _run(ledger, path, join, count, enough=enough)


def _run(ledger: Ledger, path: str, join: Join, count: Count, *, enough: bool) -> None:
    try:
        if not scope.holds(ledger, path, ledger.spec(path).guard):
            skip(ledger, path, GUARD)
        elif enough:
            _complete(ledger, path, join)
        else:
            _fail(ledger, path, join, count)
    except ExpressionError as error:
        fail(ledger, path, expression_error(ledger.node(path), error))


def _wanted(join: Join) -> int | None:
    """How many live branches are enough; None when all have to be awaited."""
    if join.strategy == "first_complete":
        return 1
    return join.n if join.strategy == "n_of_m" else None


def _fork_of(ledger: Ledger, path: str) -> str | None:
    """The fork whose branches a join joins, when it depends on one alone."""
    edges = ledger.plan.incoming(path)
    if len(edges) == 1 and edges[0].kind is EdgeKind.DEPENDENCY and ledger.spec(edges[0].source).type is NodeType.FORK:
        return edges[0].source
    return None


def _count(ledger: Ledger, path: str) -> Count:
    node = ledger.node(path)
    fork = _fork_of(ledger, path)
    source = None if fork is None else ledger.node(fork)
    if source is None or source.status not in {NodeStatus.RUNNING, NodeStatus.COMPLETED}:
        return Count(live=node.live_control + node.live_dependency, failed=node.blocked, unsettled=node.unsettled)
    done, failed = len(source.remembered("done", [])), len(source.remembered("failed", []))
    open_ = source.remembered("total", 0) - done - failed if source.status.open else 0
    return Count(live=done, failed=failed, unsettled=open_)


def _is_unchosen(ledger: Ledger, path: str) -> bool:
    """True when the join has control edges of which none is live (yet): then it does not run, whatever else ends."""
    controlled = any(edge.kind is EdgeKind.CONTROL for edge in ledger.plan.incoming(path))
    return controlled and not ledger.node(path).live_control


def _skip_unchosen(ledger: Ledger, path: str) -> None:
    if ledger.node(path).unsettled:
        return
    edges = [edge for edge in ledger.plan.incoming(path) if edge.kind is EdgeKind.CONTROL]
    ledger.require(edge.source for edge in edges)
    skip(ledger, path, BLOCKED if any(is_blocked(ledger, edge) for edge in edges) else NO_LIVE_EDGE)


def _live_branches(ledger: Ledger, path: str) -> dict[str, NodeState]:
    """The branches that have brought something, in the order in which they ended."""
    fork = _fork_of(ledger, path)
    if fork is not None:
        frames = {name: paths.frame(fork, name) for name in ledger.node(fork).remembered("done", [])}
        ledger.require(frames.values())
        return {name: ledger.node(frame) for name, frame in frames.items()}
    edges: tuple[Edge, ...] = ledger.plan.incoming(path)
    ledger.require(edge.source for edge in edges)
    live = [ledger.node(edge.source) for edge in edges if scope.alive(ledger, edge)]
    return {paths.name_of(node.path): node for node in sorted(live, key=lambda node: node.finished_at or ledger.now)}


def _complete(ledger: Ledger, path: str, join: Join) -> None:
    branches = _live_branches(ledger, path)
    if not branches and join.strategy != "all_complete":
        _fail(ledger, path, join, Count(live=0, failed=0, unsettled=0))
    elif join.strategy == "best_result":
        winner, score = _best(ledger, path, join, branches)
        _end(ledger, path, join, branches[winner].output, {"winner": winner, "score": score})
    elif join.strategy == "first_complete":
        winner = next(iter(branches))
        _end(ledger, path, join, branches[winner].output, {"winner": winner})
    else:
        _end(ledger, path, join, {name: node.output for name, node in branches.items()}, None)


def _end(ledger: Ledger, path: str, join: Join, output: Any, metadata: dict[str, Any] | None) -> None:
    complete(ledger, path, output, metadata=metadata)
    if join.cancel_rest:
        _cancel_rest(ledger, path)


def _best(ledger: Ledger, path: str, join: Join, branches: dict[str, NodeState]) -> tuple[str, int | float]:
    scores = {name: _score(ledger, path, join, node.output) for name, node in branches.items()}
    return max(scores.items(), key=lambda pair: pair[1])


def _score(ledger: Ledger, path: str, join: Join, output: Any) -> int | float:
    if join.score is None:
        raise ExpressionError("a join by `best_result` needs a `score`")
    value = join.score.select(scope.own_scope(ledger, path, join.score.references, output))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"the score of a branch is {value!r}, not a number")
    return value


def _fail(ledger: Ledger, path: str, join: Join, count: Count) -> None:
    needed = _wanted(join) or 1
    message = f"{count.live} of the branches came through, {count.failed} failed; {needed} needed"
    fail(ledger, path, describe(ledger.node(path), str(FailureCode.JOIN_FAILED), message))


def _cancel_rest(ledger: Ledger, path: str) -> None:
    """Cancels the branches that are not needed any more."""
    fork = _fork_of(ledger, path)
    if fork is not None:
        if ledger.node(fork).status.open:
            cancel_inside(ledger, fork)
            containers.end_fork(ledger, fork)
        return
    region, frame = _region(ledger, path), paths.frame_of(path)
    cancelled = [node for node in ledger.open_inside(frame) if _top(node.path, frame) in region]
    for node in cancelled:
        cancel(ledger, node)
        ledger.remember(node.path, reason=NOT_NEEDED)
    for node in cancelled:
        # What was cancelled settles its edges as dead, which ends the nodes that waited for it.
        if node.path in region:
            settle(ledger, node.path)


def _region(ledger: Ledger, path: str) -> set[str]:
    """The nodes all of whose ways lead into the join."""
    frame = paths.frame_of(path)
    graph = ledger.plan.graph_at(frame)
    found = {paths.name_of(path)}
    for name in reversed(graph.order):
        targets = [edge.target for edge in graph.outgoing[name]]
        if targets and all(target in found for target in targets):
            found.add(name)
    found.discard(paths.name_of(path))
    return {paths.within(frame, name) for name in found}


def _top(path: str, frame: str) -> str:
    """The node of a frame that a path stands in or under."""
    rest = path[len(frame) + 1 :] if frame else path
    return paths.within(frame, rest.partition("/")[0].partition("[")[0])
