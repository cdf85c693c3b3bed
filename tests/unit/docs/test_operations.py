"""docs/operations.md names every figure and every line of the doctor."""

from __future__ import annotations

from aispine.engine.metrics import METRICS, PREFIX
from tests.unit.docs.generated import DOCS
from tests.unit.docs.markdown import rows, section

OPERATIONS = DOCS / "operations.md"


def test_every_figure_is_there_with_its_kind_and_what_it_is() -> None:
    documented = [(row[0], row[1], row[3]) for row in rows(section(OPERATIONS, "Metrics"))]
    assert documented == [(PREFIX + name, metric.kind, metric.help) for name, metric in METRICS.items()]


def test_every_reason_of_the_doctor_about_work_has_its_line() -> None:
    told = {name for row in rows(section(OPERATIONS, "First look")) for name in row[0].replace("`", "").split(", ")}
    assert told >= {"heartbeats", "queues", "work", "workers", "database", "redis"}
