"""What the measures make of their figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import report
from benchmarks.bench import main
from benchmarks.row import Row, compare, quantile, seconds

MACHINE: dict[str, Any] = {
    "date": "2026-01-01T00:00:00+00:00",
    "took_s": 60,
    "usable_cores": 2,
    "memory_mb": 8000,
    "system": "Linux",
    "aispine": "0.1.0",
    "python": "3.11.0",
    "postgresql": "18.0",
    "redis_server": "6.2",
    "libraries": {"celery": "5.7.0"},
    "durability": {"fsync": "on"},
    "fsync_ms": 0.4,
    "file_system": "ext4",
    "strangers_share": 0.01,
}


@pytest.mark.parametrize(
    ("unit", "value", "bar", "ok"),
    [
        ("x", 0.8, 0.8, True),
        ("x", 0.81, 0.8, False),
        ("s", 0.2, None, True),
        ("/s", 150, 150, True),
        ("/s", 149, 150, False),
        ("", 999, 1000, False),
        ("%", 20.1, 20.0, False),
    ],
)
def test_a_rate_has_to_reach_its_bar_and_a_time_to_stay_below_it(unit: Any, value: float, bar: Any, ok: bool):
    assert Row(name="work", unit=unit, value=value, bar=bar).ok is ok


def test_what_could_not_be_measured_is_never_good():
    assert not Row(name="work", unit="s", value=None, error="it did not start").ok
    assert not Row(name="work", unit="", value=1000, bar=1000, error="3 refused").ok


def test_a_comparison_is_the_median_of_the_pairs_after_the_warm_up():
    ours, theirs = iter([9.0, 1.0, 2.0, 6.0]), iter([1.0, 2.0, 2.0, 2.0])
    row = compare("work", lambda: next(ours), lambda: next(theirs), beside="them", pairs=3, warm_up=1, bar=1.0)
    assert (row.value, row.spread, row.ours_s, row.theirs_s) == (1.0, (0.5, 3.0), 2.0, 2.0)


def test_a_quantile_is_a_value_that_was_measured():
    values = [float(each) for each in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.95), quantile([7.0], 0.95)) == (50.0, 95.0, 7.0)
    assert seconds("work", values, 0.95).runs == 100


def test_a_part_of_the_results_takes_the_place_of_its_former_self_alone(tmp_path: Any):
    path = tmp_path / "RESULTS.md"
    good, bad = (Row(name=name, unit="s", value=1.5, bar=bar) for name, bar in (("quick", 2.0), ("slow", 1.0)))
    failed = Row(name="broken", unit="x", value=None, error="it\nended")
    report.publish("peers", report.lines([failed]), MACHINE, path)
    report.publish("bench", report.lines([good]), MACHINE, path)
    report.publish("bench", report.lines([good, bad]), MACHINE, path)
    text = path.read_text("utf-8")
    assert text.index("| slow |") < text.index("| broken |")
    assert text.count("| quick |") == 1
    assert "Missed: slow." in text
    assert "- broken: `it ended`" in text
    assert "2 cores, 8 GB, Linux." in text


def test_programs_read_every_row(tmp_path: Any):
    report.write([Row(name="work", unit="/s", value=1234.5678, bar=1000)], MACHINE, tmp_path)
    [row] = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert (row["name"], row["value"], row["unit"], row["bar"], row["ok"]) == ("work", 1234.5678, "/s", 1000, True)


def test_a_group_that_there_is_not_is_refused_before_anything_starts(capsys: Any):
    with pytest.raises(SystemExit) as left:
        main(["chain", "nonsense"])
    assert left.value.code == 2
    assert "there is no nonsense; there are idle, chain, fan" in capsys.readouterr().err
