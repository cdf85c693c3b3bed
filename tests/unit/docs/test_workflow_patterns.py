"""docs/workflow-patterns.md: every pattern once, and what it calls supported is there and tested."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs.generated import DOCS, ROOT
from tests.unit.docs.markdown import rows

PAGE = DOCS / "workflow-patterns.md"
TESTS = ROOT / "tests" / "acceptance" / "patterns"
TABLE = rows(PAGE.read_text("utf-8"))
SUPPORTED = [row for row in TABLE if row[3] == "yes"]


def flow(row: tuple[str, ...]) -> str | None:
    found = re.search(r"patterns/(\w+)\.yaml", row[4])
    return found[1] if found else None


def test_every_pattern_is_there_once() -> None:
    assert [row[0] for row in TABLE] == [str(number) for number in range(1, 44)]
    assert {row[3] for row in TABLE} == {"yes", "partly", "no"}


def test_the_page_counts_right() -> None:
    counts = {verdict: sum(row[3] == verdict for row in TABLE) for verdict in ("yes", "partly", "no")}
    text = " ".join(PAGE.read_text("utf-8").split())
    assert f"{counts['yes']} are supported, {counts['partly']} partly, {counts['no']} are not" in text


@pytest.mark.parametrize("row", SUPPORTED, ids=lambda row: row[1])
def test_a_supported_pattern_has_a_flow_of_its_own_and_a_test_that_runs_it(row: tuple[str, ...]) -> None:
    name = flow(row)
    assert [flow(other) for other in SUPPORTED].count(name) == 1
    sources = [path.read_text("utf-8") for path in TESTS.glob("test_*.py")]
    assert any(f'("{name}"' in source for source in sources)


def test_every_flow_of_the_folder_is_named() -> None:
    named = set(re.findall(r"patterns/(\w+)\.yaml\)", PAGE.read_text("utf-8")))
    there = {path.name.split(".")[0] for path in (ROOT / "flows" / "patterns").glob("*.yaml")}
    assert named == there
