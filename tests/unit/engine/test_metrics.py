"""What is counted, and how it is shown; Prometheus's own parser reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from aispine.engine import metrics
from aispine.engine.meter import Meter
from aispine.engine.metrics import Tally
from aispine.flow.state import Event, ExecutionState, NodeState, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
EXECUTION = ExecutionState(
    execution_id="e",
    tenant_id="t",
    flow_id="f",
    flow_version_id=1,
    status=ExecutionStatus.RUNNING,
    input=None,
    context={},
    agents={},
    started_at=NOW,
)
NODE = NodeState(path="a", node_id="a", queue="io", attempt=1, queued_at=NOW, started_at=NOW + timedelta(seconds=2))


def read(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by name and labels, as Prometheus understands it."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def shown(*events: Event, nodes: Mapping[str, NodeState] | None = None, **execution: Any) -> Any:
    transition = Transition(execution=replace(EXECUTION, **execution), nodes=nodes or {}, events=events)
    tally = Tally()
    for amount in metrics.amounts(transition):
        tally.add(*amount)
    return read(metrics.render((name, labels, value) for (name, labels), value in tally.samples().items()))


def test_the_end_of_an_execution_is_counted_with_how_long_it_took() -> None:
    found = shown(Event(type="execution.failed"), finished_at=NOW + timedelta(seconds=3))
    status = (("status", "failed"),)
    assert found["aispine_executions_ended_total"] == {status: 1}
    buckets = found["aispine_execution_duration_seconds_bucket"]
    values = {dict(labels)["le"]: value for labels, value in buckets.items()}
    assert (values["2.5"], values["5"], values["+Inf"]) == (0, 1, 1)
    assert found["aispine_execution_duration_seconds_sum"] == {status: 3}
    assert found["aispine_execution_duration_seconds_count"] == {status: 1}


def test_the_first_attempt_of_a_node_tells_how_long_it_was_queued() -> None:
    first = shown(Event(type="node.started", path="a"), nodes={"a": NODE})
    assert first["aispine_queue_wait_seconds_sum"] == {(("queue", "io"),): 2}
    again = shown(Event(type="node.started", path="a"), nodes={"a": replace(NODE, attempt=2)})
    assert again["aispine_node_attempts_total"] == {(("queue", "io"),): 1}
    assert "aispine_queue_wait_seconds_sum" not in again


def test_ends_retries_losses_and_late_results_are_counted_apart() -> None:
    done = replace(NODE, status=NodeStatus.COMPLETED, finished_at=NOW + timedelta(seconds=12))
    found = shown(
        Event(type="node.retrying", path="a", data={"error": {"code": "timeout"}}),
        Event(type="node.lost", path="a"),
        Event(type="node.late_result", path="a"),
        Event(type="node.completed", path="a"),
        Event(type="node.skipped", path="b"),
        nodes={"a": done},
    )
    assert found["aispine_node_retries_total"] == {(("code", "timeout"),): 1}
    assert found["aispine_nodes_lost_total"] == found["aispine_late_results_total"] == {(): 1}
    assert found["aispine_nodes_ended_total"] == {(("status", "completed"),): 1, (("status", "skipped"),): 1}
    assert found["aispine_node_duration_seconds_sum"] == {(("queue", "io"),): 10}


def test_a_frame_is_no_node() -> None:
    assert shown(Event(type="node.completed", path="pages[3]")) == {}


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    found = shown(Event(type="node.retrying", path="a", data={"error": {"code": 'x"} 7\n\\'}}))
    assert found["aispine_node_retries_total"] == {(("code", 'x"} 7\n\\'),): 1}


def test_every_kind_is_known_to_prometheus_and_every_figure_says_what_it_is() -> None:
    assert {metric.kind for metric in metrics.METRICS.values()} == {"counter", "gauge", "histogram"}
    for name, metric in metrics.METRICS.items():
        assert name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")


def test_a_meter_without_a_store_counts_and_waits_for_nobody() -> None:
    meter = Meter()
    meter.add("nodes_lost_total", 2)
    meter.flush()
