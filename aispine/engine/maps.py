"""Maps: a body runs once for each item, so many at a time, and the results keep the order of the items."""

from __future__ import annotations

from typing import Any, Final

from aispine.engine import scope
from aispine.engine.ending import cancel_inside, complete
from aispine.engine.frames import fail_whole, inner_error
from aispine.engine.ledger import Ledger
from aispine.engine.queueing import queue_of
from aispine.errors import ExpressionError
from aispine.flow import paths
from aispine.flow.model import Map
from aispine.flow.plan import in_place, needs_worker
from aispine.flow.state import NodeState
from aispine.flow.status import NodeStatus

MAX_ITEMS: Final = 10_000
WINDOW: Final = 500
"""How many items of a map run at once unless it says so itself: more would wait in a queue all the same."""
QUICK_WINDOW: Final = 100
"""The same for quick items, which are started by halves of it, so that they travel in lanes."""


def open_(ledger: Ledger, path: str, spec: Map) -> None:
    """Starts the first items of a map."""
    items = spec.items.select(scope.scope(ledger, path, spec.items.references))
    if not isinstance(items, list):
        raise ExpressionError(f"`items` is {_kind(items)}, not a list")
    if len(items) > MAX_ITEMS:
        raise ExpressionError(f"`items` has {len(items):,} items; the limit is {MAX_ITEMS:,}")
    ledger.record("node.started", path, attempt=1, total=len(items))
    frames = _frames(path, 0, len(items))
    for frame, item in zip(frames, items, strict=True):
        ledger.create_frame(frame, input=item)
    quick = _is_quick(ledger, spec)
    window = min(spec.max_concurrency or (QUICK_WINDOW if quick else WINDOW), len(items))
    batch = window // 2 if quick else 1
    ledger.remember(path, total=len(items), next=window, window=window, batch=max(batch, 1), done=0, failed=0)
    if not items:
        complete(ledger, path, [])
    for frame in frames[:window]:
        ledger.begin_frame(frame)


def after_item(ledger: Ledger, path: str, spec: Map, frame: NodeState) -> None:
    """Counts an item that has ended, and ends the map or starts more."""
    failed = frame.status is NodeStatus.FAILED
    if failed and spec.on_item_error == "fail":
        fail_whole(ledger, path, inner_error(ledger, path, frame))
        return
    node = ledger.node(path)
    done = node.remembered("done") + (not failed)
    node = ledger.remember(path, done=done, failed=node.remembered("failed") + failed)
    ended, total = done + node.remembered("failed"), node.remembered("total")
    if ended == total or _enough(ledger, path, spec):
        _end_map(ledger, path, total)
    else:
        _refill(ledger, path, ended)


def _refill(ledger: Ledger, path: str, ended: int) -> None:
    """Starts more items once a batch of them fits into the window."""
    node = ledger.node(path)
    following, batch = node.remembered("next"), node.remembered("batch")
    until = min(ended + node.remembered("window"), node.remembered("total"))
    if until - following < min(batch, node.remembered("total") - following) or until <= following:
        return
    frames = _frames(path, following, until)
    ledger.require(frames, soon=_frames(path, until, min(until + ledger.facts - 1, node.remembered("total"))))
    ledger.remember(path, next=until)
    for frame in frames:
        ledger.begin_frame(frame)


def _frames(path: str, first: int, end: int) -> list[str]:
    return [paths.frame(path, number) for number in range(first, end)]


def _is_quick(ledger: Ledger, spec: Map) -> bool:
    """True when every node of the body is one for the engine's own queue."""
    agents = ledger.execution.agents
    return all(in_place(node) or (needs_worker(node) and queue_of(node, agents) == "engine") for node in spec.body)


def _enough(ledger: Ledger, path: str, spec: Map) -> bool:
    """True when `complete_when` holds over the results so far."""
    if spec.complete_when is None:
        return False
    condition, node = spec.complete_when, ledger.node(path)
    if condition.only_counts("output"):
        # Most say how many are enough; then no item has to be read, however many there are.
        results = [None] * node.remembered("done")
    else:
        results = _results(ledger, path, node.remembered("next"))
    return condition.evaluate(scope.own_scope(ledger, path, condition.references, results))


def _results(ledger: Ledger, path: str, begun: int) -> list[Any]:
    """What the items that have completed so far yielded."""
    frames = _frames(path, 0, begun)
    ledger.require(frames)
    ended = [ledger.node(frame) for frame in frames]
    return [node.output for node in ended if node.status is NodeStatus.COMPLETED]


def _end_map(ledger: Ledger, path: str, total: int) -> None:
    """Completes a map with its results in order; an item that failed or was not needed yields null."""
    node = ledger.node(path)
    if node.remembered("done") + node.remembered("failed") < total:
        cancel_inside(ledger, path)
    frames = _frames(path, 0, total)
    ledger.require(frames)
    complete(ledger, path, [ledger.node(frame).output for frame in frames])


def _kind(value: Any) -> str:
    names = {dict: "an object", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
