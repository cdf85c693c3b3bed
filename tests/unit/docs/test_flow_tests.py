"""docs/flow-tests.md."""

from __future__ import annotations

from aispine.flow import rehearsal
from tests.unit.docs.generated import FLOW_TESTS, flow_tests
from tests.unit.docs.markdown import blocks


def test_the_reference_is_what_the_code_says() -> None:
    assert FLOW_TESTS.read_text("utf-8") == flow_tests(), "run: python -m tests.unit.docs.generated"


def test_the_example_is_a_valid_test_file() -> None:
    (example,) = blocks(FLOW_TESTS, "yaml")
    found, problems = rehearsal.check(example, "refund.test.yaml")
    assert problems == ()
    assert found is not None
    assert len(found.cases) == 2
