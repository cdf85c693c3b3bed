"""What must be true of an execution at rest: why each node may have ended as it did, from the text of the language.

Unlike a prediction it holds whatever came first, so that it covers early joins, cancels, timeouts and retries too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aispine.flow import paths
from aispine.flow.model import Join, Node, NodeType
from aispine.flow.plan import CONTAINERS, Edge, EdgeKind, Graph
from aispine.flow.state import NodeState
from aispine.flow.status import ExecutionStatus, NodeStatus
from tests.unit.engine.edges import settled
from tests.unit.engine.reference import Script
from tests.unit.engine.simulation import World

UNTOUCHED = NodeState(path="", node_id="")


@dataclass(frozen=True, kw_only=True)
class Laws:
    """Holds a world against the language. `data` has the nodes' flags and lists.

    A node may also have failed by the script that it had before the execution was retried.
    """

    world: World
    data: Mapping[str, Any]
    scripts: Mapping[str, Script]
    former: Mapping[str, Script]

    def check(self) -> None:
        self._check_execution()
        for path, row in self.world.rows.items():
            if paths.is_frame(path):
                self._check_frame(row)
            elif row.status.successful or row.status is NodeStatus.FAILED:
                self._check_ran(path, row, self.world.plan.node(path))
            elif row.status is NodeStatus.SKIPPED:
                self._check_skipped(path, row)

    def row(self, path: str) -> NodeState:
        return self.world.rows.get(path, UNTOUCHED)

    # Frames and the execution

    def _check_execution(self) -> None:
        execution = self.world.execution
        broken = self._broken("", self.world.plan.graph)
        if execution.status is ExecutionStatus.COMPLETED:
            assert not broken, f"completed although {broken} failed"
            self._check_all_ended("", self.world.plan.graph)
        elif execution.status is ExecutionStatus.FAILED:
            assert broken, "failed without a failure"
            assert execution.error is not None
            if self.world.plan.flow.on_failure == "finish":
                self._check_all_ended("", self.world.plan.graph)
        handler = self.world.plan.flow.on_error
        if handler is not None and execution.status is ExecutionStatus.FAILED:
            assert self.row(handler).status in {NodeStatus.COMPLETED, NodeStatus.FAILED}, "the handler has not run"
        if handler is not None and execution.status is ExecutionStatus.COMPLETED and not execution.reopened:
            assert self.row(handler).status is NodeStatus.PENDING, "the handler has run without a failure"

    def _check_frame(self, row: NodeState) -> None:
        graph = self.world.plan.graph_at(row.path)
        broken = self._broken(row.path, graph)
        if row.status is NodeStatus.COMPLETED:
            assert not broken, f"{row.path} completed although {broken} failed"
            self._check_all_ended(row.path, graph)
        elif row.status is NodeStatus.FAILED:
            assert broken, f"{row.path} failed without a failure"

    def _broken(self, frame: str, graph: Graph) -> list[str]:
        """Nodes whose failure nobody handles and no join does without."""
        found = []
        for name in graph.order:
            unhandled = graph.nodes[name].on_error in {None, "fail"} and name not in graph.tolerated
            if unhandled and self.row(paths.within(frame, name)).status is NodeStatus.FAILED:
                found.append(name)
        return found

    def _check_all_ended(self, frame: str, graph: Graph) -> None:
        for name in graph.order:
            row = self.row(paths.within(frame, name))
            if not frame and name == self.world.plan.flow.on_error:
                continue
            assert row.status.terminal, f"{name} in `{frame}` is {row.status} after the end"
            if row.status is NodeStatus.CANCELLED:
                assert row.remembered("reason") == "not needed", f"{name} in `{frame}` was cancelled"

    # Nodes

    def _edges(self, path: str) -> list[tuple[Edge, str | None]]:
        plan = self.world.plan
        return [
            (edge, settled(edge, self.world.rows.get(edge.source), plan.node(edge.source)))
            for edge in plan.incoming(path)
        ]

    def _is_live(self, path: str) -> bool:
        edges = self._edges(path)
        controls = [state for edge, state in edges if edge.kind is EdgeKind.CONTROL]
        return not edges or "live" in (controls or [state for _, state in edges])

    def _guard_holds(self, spec: Node) -> bool:
        return not spec.guard or bool(self.data[spec.id])

    def _check_ran(self, path: str, row: NodeState, spec: Node) -> None:
        assert self._guard_holds(spec), f"{path} ran although its guard does not hold"
        if spec.join is not None:
            self._check_join(path, row, spec.join)
        else:
            states = [state for _, state in self._edges(path)]
            assert None not in states, f"{path} ran before its edges were settled"
            assert "blocked" not in states, f"{path} ran behind a failure that nobody handles"
            assert self._is_live(path), f"{path} ran without a live edge"
        if spec.makes_call or spec.subflow is not None:
            self._check_work(path, row, spec)
        elif spec.type in CONTAINERS:
            self._check_container(path, row, spec)

    def _check_skipped(self, path: str, row: NodeState) -> None:
        states = [state for _, state in self._edges(path)]
        assert None not in states, f"{path} was skipped before its edges were settled"
        spec, reason = self.world.plan.node(path), row.remembered("reason")
        if reason == "blocked":
            assert "blocked" in states or self._lacks_a_branch(path, spec), path
        elif reason == "guard":
            assert not self._guard_holds(spec), path
        else:
            assert "blocked" not in states or spec.join is not None, path
            assert not self._is_live(path), f"{path} was skipped although an edge is live"

    def _lacks_a_branch(self, path: str, spec: Node) -> bool:
        """A join that nobody needs any more is skipped when a branch of its fork has failed."""
        rows = [self.world.rows.get(edge.source) for edge, _ in self._edges(path)]
        return spec.join is not None and any(row is not None and row.remembered("failed") for row in rows)

    def _check_work(self, path: str, row: NodeState, spec: Node) -> None:
        scripts = (self.scripts[spec.id], self.former[spec.id])
        ends = {_succeeds(script, path, spec) for script in scripts}
        assert row.status.successful in ends, f"{path} is {row.status}"
        if row.status.successful:
            assert row.output == {"from": path}

    def _check_join(self, path: str, row: NodeState, join: Join) -> None:
        if join.strategy == "all_complete":
            assert {state for _, state in self._edges(path)} <= {"live", "dead"}, path
            assert self._is_live(path)
            return
        live, waiting = self._branches(path, row)
        wanted = join.n if join.strategy == "n_of_m" else 1
        assert wanted is not None
        if row.status is NodeStatus.COMPLETED:
            assert live >= wanted, f"{path} went on with {live} of {wanted}"
            assert not waiting or join.strategy != "best_result"
        else:
            assert self._is_live(path) or not live
            assert live < wanted or self._stays_failed(path), f"{path} failed with {live} of {wanted}"

    def _stays_failed(self, path: str) -> bool:
        """A failure that was handled stays when the execution is retried, unless what followed it starts anew."""
        handled = self.world.plan.node(path).on_error not in {None, "fail"}
        return handled and bool(self.world.execution.reopened)

    def _branches(self, path: str, join: NodeState) -> tuple[int, int]:
        """How many branches are live and how many not settled; a fork may have failed after a join had enough."""
        edges = self._edges(path)
        source = edges[0][0].source
        # What a fork brings are its branches, even when it has failed and the flow goes on all the same.
        going = self.row(source).status is NodeStatus.RUNNING or edges[0][1] == "live"
        began = going or join.status is NodeStatus.COMPLETED
        if len(edges) == 1 and self.world.plan.node(source).type is NodeType.FORK and began:
            states = Counter(frame.status for frame in self.world.frames(source))
            return states[NodeStatus.COMPLETED], states[NodeStatus.RUNNING]
        found = Counter(state for _, state in edges)
        return found["live"], found[None]

    # Containers

    def _check_container(self, path: str, row: NodeState, spec: Node) -> None:
        frames = self.world.frames(path)
        if row.status is NodeStatus.FAILED:
            self._check_reason(row, spec, frames)
        elif spec.loop is not None:
            self._check_loop(row, frames)
        elif spec.map is not None:
            self._check_map(row, spec, frames)
        else:
            done = {paths.index_of(frame.path): frame.output for frame in _completed(frames)}
            assert row.output == done, path
            assert len(frames) == row.remembered("total")

    def _check_reason(self, row: NodeState, spec: Node, frames: list[NodeState]) -> None:
        code = (row.error or {})["code"]
        if code == "timeout" and spec.timeout is not None:
            return
        if code not in {"loop_exhausted", "expression_error"}:
            assert any(frame.status is NodeStatus.FAILED for frame in frames), f"{row.path} failed by itself: {code}"

    def _check_loop(self, row: NodeState, frames: list[NodeState]) -> None:
        results = [frame.output for frame in _completed(frames)]
        assert row.output["results"] == results, row.path
        assert row.output["iterations"] == len(results)
        assert all(frame.status in {NodeStatus.COMPLETED, NodeStatus.SKIPPED} for frame in frames)
        expected = self._iterations(row)
        assert len(results) == expected, f"{row.path}: {len(results)} iterations, not {expected}"

    def _iterations(self, row: NodeState) -> int:
        loop = self.world.plan.node(row.path).loop
        assert loop is not None
        if loop.while_ is not None:
            return min(_number_in(loop.while_.source), loop.max_iterations)
        until = loop.until.source if loop.until is not None else _breaking(loop.body)
        return min(_number_in(until) + 1, loop.max_iterations) if until else loop.max_iterations

    def _check_map(self, row: NodeState, spec: Node, frames: list[NodeState]) -> None:
        items = self.data[f"{spec.id}_items"]
        assert [frame.input for frame in frames] == items
        assert row.output == [frame.output for frame in frames], "results are out of order"
        states = Counter(frame.status for frame in frames)
        assert spec.map is not None
        if spec.map.complete_when is None or states[NodeStatus.COMPLETED] < 2:
            ended = states[NodeStatus.COMPLETED] + states[NodeStatus.FAILED]
            assert ended == len(items), f"{row.path} ended with items left"
        if spec.map.on_item_error == "fail":
            assert not states[NodeStatus.FAILED]


def _succeeds(script: Script, path: str, spec: Node) -> bool:
    return not script.is_fatal(path) if spec.subflow is not None else script.succeeds(spec, path)


def _completed(frames: list[NodeState]) -> Iterator[NodeState]:
    return (frame for frame in frames if frame.status is NodeStatus.COMPLETED)


def _breaking(body: tuple[Node, ...]) -> str:
    return next((str(node.set["break_loop"].source) for node in body if "break_loop" in node.set), "")


def _number_in(text: str) -> int:
    """The number that `iteration` is compared with."""
    digits = text.replace("`", " ").replace("}", " ").replace("iteration", " ").split()
    return next(int(part) for part in digits if part.isdigit())
