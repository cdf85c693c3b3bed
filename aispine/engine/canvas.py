"""Turns the shape of a canvas into Celery signatures and sends them; messages carry names and never data."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from celery import Celery, chain, chord, group
from celery.canvas import Signature
from kombu.exceptions import OperationalError

from aispine import logs
from aispine.engine import broker, queueing, transport
from aispine.flow import paths
from aispine.flow.plan import Graph, Plan, needs_worker
from aispine.flow.shape import MAX_GROUP, Chain, Chord, Lane, Shape, Step, lanes, shape
from aispine.flow.state import ExecutionState

_log = logs.get(__name__)


def send(
    celery: Celery, plan: Plan, execution: ExecutionState, ready: Sequence[str], slow: Collection[str] = ()
) -> None:
    """Sends the canvas of nodes that became ready, after their transition is committed.

    `slow` are agents that were found not to be as quick as they say. A broker that does not answer is no error: the
    nodes are queued in the store, and the tick sends them again.
    """
    try:
        alone: list[str] = []
        for frame, names in _by_frame(ready).items():
            quick = functools.partial(_is_quick, plan.graph_at(frame), execution, slow)
            for part in _parts(names):
                made = shape(plan.graph_at(frame), part, quick)
                if isinstance(made, Step) and quick(made.path):
                    alone.append(paths.within(frame, made.path))
                else:
                    signature(celery, plan, execution, made, frame).apply_async()
        for made in lanes(alone):
            signature(celery, plan, execution, made).apply_async()
    except OperationalError as error:
        _log.warning("canvas.not_sent", execution=execution.execution_id, error=str(error))


def _is_quick(graph: Graph, execution: ExecutionState, slow: Collection[str], name: str) -> bool:
    node = graph.nodes[name]
    if not node.makes_call or queueing.agent_reference(node) in slow:
        return False
    return queueing.queue_of(node, execution.agents) == queueing.QUEUES["quick"]


def _by_frame(ready: Sequence[str]) -> dict[str, list[str]]:
    """Frames whose bodies start alike travel each in a canvas of their own."""
    found: dict[str, list[str]] = {}
    for path in ready:
        found.setdefault(paths.frame_of(path), []).append(paths.name_of(path))
    return found


def send_start(celery: Celery, execution_id: str, flow_id: str) -> None:
    """Asks a worker to start an execution."""
    _send(celery, broker.ADVANCE, execution_id, "", queue="engine", shadow=f"{flow_id}/start")


def send_look(celery: Celery, execution_id: str, flow_id: str, path: str) -> None:
    """Asks a worker to look at a node that waits for something which has happened."""
    _send(celery, broker.ADVANCE, execution_id, path, queue="engine", shadow=f"{flow_id}/{path}")


def send_node(celery: Celery, execution_id: str, flow_id: str, path: str, queue: str, *, ahead: bool = False) -> None:
    """Sends the message of one queued node alone; `ahead` of those that wait if it had its turn once already."""
    priority = transport.AHEAD if ahead else transport.NORMAL
    _send(celery, broker.RUN, execution_id, path, queue=queue, shadow=f"{flow_id}/{path}", priority=priority)


def _send(
    celery: Celery,
    task: str,
    execution_id: str,
    path: str,
    *,
    queue: str,
    shadow: str,
    priority: int = transport.NORMAL,
) -> None:
    """Sends one message that is no canvas, for which Celery makes no signature."""
    celery.send_task(task, args=(execution_id, path), queue=queue, shadow=shadow, priority=priority, ignore_result=True)


def signature(celery: Celery, plan: Plan, execution: ExecutionState, part: Shape, frame: str = "") -> Signature:
    """The Celery canvas of a shape in a frame."""
    if isinstance(part, Step):
        return _step(celery, plan, execution, paths.within(frame, part.path))
    if isinstance(part, Lane):
        places = [paths.within(frame, name) for name in part.paths]
        return _lane(celery, execution, places)
    members = [signature(celery, plan, execution, member, frame) for member in part.members]
    if isinstance(part, Chain):
        return chain(*members, app=celery)
    if isinstance(part, Chord):
        return chord(members, _body(celery, plan, execution, paths.within(frame, part.join)), app=celery)
    return group(members, app=celery)


def _parts(ready: Sequence[str]) -> Iterable[list[str]]:
    rest = iter(ready)
    while part := list(islice(rest, MAX_GROUP)):
        yield part


def _step(celery: Celery, plan: Plan, execution: ExecutionState, path: str) -> Signature:
    queue = queueing.queue_of(plan.node(path), execution.agents)
    return _signature(
        celery, broker.RUN, execution.execution_id, path, queue=queue, shadow=f"{execution.flow_id}/{path}"
    )


def _lane(celery: Celery, execution: ExecutionState, places: Sequence[str]) -> Signature:
    options = {
        "queue": queueing.QUEUES["quick"],
        "shadow": f"{execution.flow_id}/{places[0]} and {len(places) - 1} more",
        "priority": transport.NORMAL,
        "ignore_result": True,
    }
    return celery.signature(
        broker.RUN_LANE, args=(execution.execution_id, list(places)), immutable=True, options=options
    )


def _body(celery: Celery, plan: Plan, execution: ExecutionState, join: str) -> Signature:
    """Goes to the join's own queue, so that a worker that may run it takes it."""
    node = plan.node(join)
    queue = queueing.queue_of(node, execution.agents) if needs_worker(node) else "engine"
    return _signature(
        celery, broker.ADVANCE, execution.execution_id, join, queue=queue, shadow=f"{execution.flow_id}/{join}"
    )


def _signature(celery: Celery, task: str, execution_id: str, path: str, *, queue: str, shadow: str) -> Signature:
    # The publisher decides about `ignore_result`; without it a chord can hang for ever (docs/architecture.md).
    options = {"queue": queue, "shadow": shadow, "priority": transport.NORMAL, "ignore_result": True}
    return celery.signature(task, args=(execution_id, path), immutable=True, options=options)
