"""Nodes with a body: loops, maps and forks run theirs in frames and end when the frames have."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aispine.agent.contract import FailureCode
from aispine.engine import maps, scope
from aispine.engine.ending import (
    BREAK,
    complete,
    describe,
    exit_output,
    expression_error,
    is_tolerated,
)
from aispine.engine.frames import fail_whole, inner_error
from aispine.engine.ledger import Ledger
from aispine.errors import ExpressionError
from aispine.flow import paths
from aispine.flow.model import Fork, Loop, Node
from aispine.flow.plan import FAIL, is_tolerant
from aispine.flow.state import NodeState
from aispine.flow.status import NodeStatus


def open_(ledger: Ledger, path: str, spec: Node) -> None:
    """Starts a container."""
    ledger.change(path, attempt=1, started_at=ledger.now, state={})
    _run(ledger, path, spec)
    if spec.map is None:
        ledger.record("node.started", path, attempt=1)
    if spec.loop is not None:
        _begin_iteration(ledger, path, spec.loop, 0)
    elif spec.map is not None:
        maps.open_(ledger, path, spec.map)
    elif spec.fork is not None:
        _open_fork(ledger, path, spec.fork)


def reopen(ledger: Ledger, path: str, spec: Node, **remembered: Any) -> None:
    """Lets a container go on that has ended, with all of its time before it."""
    ledger.change(path, error=None, output=None, finished_at=None)
    _run(ledger, path, spec)
    ledger.remember(path, **remembered)
    if ledger.node(path).remembered("next") is not None and spec.loop is not None:
        ledger.change(path, due_at=ledger.now)


def _run(ledger: Ledger, path: str, spec: Node) -> None:
    deadline = None if spec.timeout is None else ledger.now + timedelta(seconds=spec.timeout)
    ledger.change(path, status=NodeStatus.RUNNING, due_at=deadline)
    ledger.remember(path, deadline=None if deadline is None else deadline.isoformat())
    if spec.mutex is not None:
        ledger.acquire(spec.mutex, path)


def close(ledger: Ledger, frame: str) -> None:
    """Ends a frame in which nothing is left to do, and lets its container go on."""
    row = ledger.node(frame)
    if row.status is not NodeStatus.RUNNING or row.remembered("open", 0):
        return
    container = paths.container_of(frame)
    row = _ended(ledger, row)
    if ledger.node(container).status is NodeStatus.RUNNING:
        try:
            _go_on(ledger, container, ledger.spec(container), row)
        except ExpressionError as error:
            fail_whole(ledger, container, expression_error(ledger.node(container), error))


def _ended(ledger: Ledger, row: NodeState) -> NodeState:
    """The row of a frame after its end: with its output, or failed like a node inside or because of its output."""
    if row.remembered("failed"):
        return ledger.change(row.path, status=NodeStatus.FAILED, finished_at=ledger.now)
    try:
        output = exit_output(ledger, row.path, ledger.plan.graph_at(row.path).exits)
    except ExpressionError as error:
        problem = expression_error(row, error)
        return ledger.change(row.path, status=NodeStatus.FAILED, error=problem, finished_at=ledger.now)
    return ledger.change(row.path, status=NodeStatus.COMPLETED, output=output, finished_at=ledger.now)


def due(ledger: Ledger, path: str) -> None:
    """The time of a container has come: its timeout is over, or the delay between two iterations."""
    node, spec = ledger.node(path), ledger.spec(path)
    deadline = _deadline(ledger, path)
    if deadline is not None and deadline <= ledger.now:
        message = f"it took longer than {spec.timeout:g} s"
        fail_whole(ledger, path, describe(node, str(FailureCode.TIMEOUT), message))
    elif spec.loop is not None and node.remembered("next") is not None:
        _wake(ledger, path, spec.loop, node.remembered("next"))


def end_fork(ledger: Ledger, path: str) -> None:
    """Completes a fork with the branches that have come through."""
    node = ledger.node(path)
    done: list[str] = node.remembered("done", [])
    frames = {name: paths.frame(path, name) for name in done}
    ledger.require(frames.values())
    complete(ledger, path, {name: ledger.node(frame).output for name, frame in frames.items()})


def _go_on(ledger: Ledger, path: str, spec: Node, frame: NodeState) -> None:
    if spec.loop is not None:
        _after_iteration(ledger, path, spec.loop, frame)
    elif spec.map is not None:
        maps.after_item(ledger, path, spec.map, frame)
    elif spec.fork is not None:
        _after_branch(ledger, path, frame)


# Loops


def _begin_iteration(ledger: Ledger, path: str, loop: Loop, number: int) -> None:
    frame = paths.frame(path, number)
    ledger.create_frame(frame)
    if loop.while_ is not None:
        values = scope.frame_scope(ledger, frame, loop.while_.references, _last(ledger, path, number))
        if not loop.while_.evaluate(values):
            ledger.change(frame, status=NodeStatus.SKIPPED, finished_at=ledger.now)
            _end_loop(ledger, path, number, "while")
            return
    if number >= loop.max_iterations:
        ledger.change(frame, status=NodeStatus.SKIPPED, finished_at=ledger.now)
        _exhaust(ledger, path, loop)
        return
    ledger.begin_frame(frame)


def _wake(ledger: Ledger, path: str, loop: Loop, number: int) -> None:
    """Goes on after the delay between two iterations."""
    ledger.change(path, due_at=_deadline(ledger, path))
    ledger.remember(path, next=None)
    # Whoever decides on what it knew before must find out that there is more to do now.
    ledger.record("node.woken", path, iteration=number)
    try:
        _begin_iteration(ledger, path, loop, number)
    except ExpressionError as error:
        fail_whole(ledger, path, expression_error(ledger.node(path), error))


def _after_iteration(ledger: Ledger, path: str, loop: Loop, frame: NodeState) -> None:
    if frame.status is NodeStatus.FAILED:
        fail_whole(ledger, path, inner_error(ledger, path, frame))
        return
    number = int(paths.index_of(frame.path)) + 1
    if frame.remembered(BREAK):
        _end_loop(ledger, path, number, BREAK)
    elif loop.until is not None and loop.until.evaluate(
        scope.frame_scope(ledger, frame.path, loop.until.references, frame.output)
    ):
        _end_loop(ledger, path, number, "until")
    elif number >= loop.max_iterations:
        _exhaust(ledger, path, loop)
    elif loop.delay:
        ledger.remember(path, next=number)
        wake = ledger.now + timedelta(seconds=loop.delay)
        ledger.change(path, due_at=min(wake, _deadline(ledger, path) or wake))
    else:
        _begin_iteration(ledger, path, loop, number)


def _exhaust(ledger: Ledger, path: str, loop: Loop) -> None:
    """A loop without a condition has done what it was asked; one with a condition has failed to meet it."""
    conditional = loop.until is not None or loop.while_ is not None
    if conditional and loop.on_exhausted == "fail":
        message = f"{loop.max_iterations} iterations ran out before the loop's condition was met"
        fail_whole(ledger, path, describe(ledger.node(path), str(FailureCode.LOOP_EXHAUSTED), message))
    else:
        _end_loop(ledger, path, loop.max_iterations, "max_iterations")


def _end_loop(ledger: Ledger, path: str, iterations: int, reason: str) -> None:
    frames = [paths.frame(path, number) for number in range(iterations)]
    ledger.require(frames)
    results = [ledger.node(frame).output for frame in frames]
    output = {"iterations": iterations, "ended_by": reason, "last": results[-1] if results else None}
    complete(ledger, path, {**output, "results": results})


def _last(ledger: Ledger, path: str, number: int) -> Any:
    return ledger.node(paths.frame(path, number - 1)).output if number else scope.arriving(ledger, path)


# Forks


def _open_fork(ledger: Ledger, path: str, spec: Fork) -> None:
    ledger.remember(path, total=len(spec.branches), done=[], failed=[])
    frames = [paths.frame(path, branch) for branch in spec.branches]
    for frame in frames:
        ledger.create_frame(frame)
    for frame in frames:
        ledger.begin_frame(frame)


def _after_branch(ledger: Ledger, path: str, frame: NodeState) -> None:
    failed, tolerated = frame.status is NodeStatus.FAILED, is_tolerated(ledger, path)
    if failed and not tolerated and ledger.plan.flow.on_failure == FAIL:
        fail_whole(ledger, path, inner_error(ledger, path, frame))
        return
    side = "failed" if failed else "done"
    node = ledger.remember(path, **{side: [*ledger.node(path).remembered(side), paths.index_of(frame.path)]})
    if len(node.remembered("done")) + len(node.remembered("failed")) == node.remembered("total"):
        _end_branches(ledger, path, tolerated=tolerated)
    else:
        # A join behind the fork may have enough.
        targets = (edge.target for edge in ledger.plan.outgoing(path))
        ledger.pending.extend(target for target in targets if is_tolerant(ledger.spec(target)))


def _end_branches(ledger: Ledger, path: str, *, tolerated: bool) -> None:
    failed: list[str] = ledger.node(path).remembered("failed")
    if failed and not tolerated:
        fail_whole(ledger, path, inner_error(ledger, path, ledger.node(paths.frame(path, failed[0]))))
    else:
        end_fork(ledger, path)


def _deadline(ledger: Ledger, path: str) -> datetime | None:
    text = ledger.node(path).remembered("deadline")
    return None if text is None else datetime.fromisoformat(text)
