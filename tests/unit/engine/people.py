"""Those outside who act on an execution: they signal, answer, end children, pause and resume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from aispine.engine.facts import ApprovalAnswered, PauseRequested, ResumeRequested, SignalReceived
from aispine.flow.state import NodeState, Signal
from aispine.flow.status import ExecutionStatus, NodeStatus

if TYPE_CHECKING:
    from tests.unit.engine.simulation import World


@dataclass(kw_only=True)
class People:
    """`pauses` and `early` (signals that nobody waits for yet) are how often that is done at most."""

    pauses: int = 0
    early: int = 0
    eager: float = 0.05
    """How likely they act while something else is under way; when nothing is, they do what is waited for."""
    never: frozenset[str] = frozenset()
    """Ids of waits and approvals for which nobody does anything."""

    def __post_init__(self) -> None:
        self._ids: Iterator[int] = count()

    def act(self, world: World, *, idle: bool) -> bool:
        """True when they have done something."""
        if world.execution.status.terminal or not (idle or world.rng.random() < self.eager):
            return False
        if world.execution.status is ExecutionStatus.PAUSED:
            return self._resume(world, idle=idle)
        if self.pauses and world.rng.random() < 0.3:
            self.pauses -= 1
            world.tell(PauseRequested())
            return True
        return self._signal_early(world) or self._serve(world)

    def _resume(self, world: World, *, idle: bool) -> bool:
        if not idle and world.rng.random() < 0.5:
            return False
        world.tell(ResumeRequested())
        if world.execution.status is ExecutionStatus.QUEUED:
            world.messages.append("")
        return True

    def _signal_early(self, world: World) -> bool:
        if not self.early or world.rng.random() < 0.5:
            return False
        self.early -= 1
        self._signal(world, "go")
        return True

    def _serve(self, world: World) -> bool:
        rows = [row for row in world.rows.values() if row.status is NodeStatus.WAITING]
        rows = [row for row in rows if row.node_id not in self.never and self._is_for_people(row)]
        if not rows:
            return False
        self._serve_one(world, world.rng.choice(rows))
        return True

    def _is_for_people(self, row: NodeState) -> bool:
        return row.remembered("child") is not None or row.remembered("for") in {"signal", "approval"}

    def _serve_one(self, world: World, row: NodeState) -> None:
        if row.remembered("child") is not None:
            world.end_child(row.path)
        elif row.remembered("for") == "signal":
            self._signal(world, row.remembered("signal"))
        else:
            world.tell(ApprovalAnswered(path=row.path, values={"approved": True}, by="ada"))

    def _signal(self, world: World, name: str) -> None:
        number = next(self._ids)
        world.tell(SignalReceived(signal=Signal(signal_id=str(number), name=name, payload={"signal": number})))
