"""What calls of agents came to, added up in the process; and those whose answer came later. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from aispine.engine.attempts import CALLED_BACK, OVERDUE
from aispine.engine.metrics import BUCKETS
from aispine.engine.queueing import agent_reference
from aispine.events.types import EventType
from aispine.flow.outcome import AgentFailure, Ended
from aispine.flow.plan import Plan
from aispine.flow.state import Event, ExecutionState, NodeState, Transition
from aispine.store.agent_metrics import Calls

Version = tuple[str, str, str]
"""The tenant that calls, the agent's id and its version."""
SUCCESS: Final = "success"
_ENDS: Final = frozenset({EventType.NODE_COMPLETED, EventType.NODE_FAILED, EventType.NODE_RETRYING})


def outcome_of(ended: Ended) -> str:
    """The name under which a call is counted."""
    return str(ended.code) if isinstance(ended, AgentFailure) else SUCCESS


class CallTally:
    """Calls added up, until they are taken."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, str], Calls] = {}

    def add(self, version: Version, outcome: str, seconds: float) -> None:
        tenant_id, agent_id, name = version
        fresh = Calls(
            tenant_id=tenant_id,
            agent_id=agent_id,
            version=name,
            outcome=outcome,
            buckets=[0] * (len(BUCKETS) + 1),
        )
        found = self._found.setdefault((*version, outcome), fresh)
        found.calls += 1
        found.seconds += seconds
        found.slowest = max(found.slowest, seconds)
        found.buckets[bisect_left(BUCKETS, seconds)] += 1

    def take(self) -> list[Calls]:
        """What was added since it was taken last."""
        taken, self._found = list(self._found.values()), {}
        return taken

    def put_back(self, owed: list[Calls]) -> None:
        """Adds what was taken and could not be stored."""
        for calls in owed:
            key = (calls.tenant_id, calls.agent_id, calls.version, calls.outcome)
            since = self._found.get(key)
            if since is not None:
                calls.calls += since.calls
                calls.seconds += since.seconds
                calls.slowest = max(calls.slowest, since.slowest)
                calls.buckets = [sum(pair) for pair in zip(calls.buckets, since.buckets, strict=True)]
            self._found[key] = calls


def late_ends(transition: Transition) -> list[tuple[Event, NodeState]]:
    """The ends of attempts whose agent had accepted, each with its node."""
    found = ((event, _late(event, transition)) for event in transition.events)
    return [(event, node) for event, node in found if node is not None]


def late(
    plan: Plan, execution: ExecutionState, ends: Iterable[tuple[Event, NodeState]]
) -> Iterator[tuple[Version, str, float]]:
    """The calls whose answer came by a callback, or did not come in time; counted from the attempt's beginning."""
    for event, node in ends:
        spec = plan.node(node.path)
        chosen = execution.agents[agent_reference(spec)]
        error = event.data.get("error") or {}
        outcome = SUCCESS if event.type == EventType.NODE_COMPLETED else str(error.get("code", ""))
        yield (execution.tenant_id, str(spec.agent_id), str(chosen["version"])), outcome, _seconds(event, node)


def _late(event: Event, transition: Transition) -> NodeState | None:
    if event.type not in _ENDS or event.path is None:
        return None
    node = transition.nodes.get(event.path)
    if node is None or not node.state or node.attempt not in {node.remembered(CALLED_BACK), node.remembered(OVERDUE)}:
        return None
    return node


def _seconds(event: Event, node: NodeState) -> float:
    begun = node.started_at if node.attempt == 1 else node.queued_at
    ended = node.finished_at
    if ended is None and isinstance(node.due_at, datetime):
        ended = node.due_at - timedelta(seconds=float(event.data.get("delay", 0.0)))
    return max((ended - begun).total_seconds(), 0.0) if begun and ended else 0.0
