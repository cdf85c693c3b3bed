"""What `aispine flow test` says of a flow is what workers make of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aispine.engine.rehearsal import rehearse
from aispine.flow import paths, rehearsal, validation
from aispine.flow.model import Flow
from aispine.flow.rehearsal import Case
from tests.acceptance.patterns.conftest import PATTERNS, Patterns

pytestmark = pytest.mark.core

SOON = 5.0
"""The longest time in seconds that a case may take here, where time is real."""


def cases() -> Iterator[Any]:
    """The cases that need nobody and no time: no answer in place of an agent, no signal, no person."""
    for file in sorted(PATTERNS.glob("*.test.yaml")):
        test, _ = rehearsal.check(file.read_text("utf-8"), file.name)
        assert test is not None
        flow = validation.load((PATTERNS / test.flow).read_text("utf-8"))
        for case in test.cases:
            if _ends_soon(flow, case):
                yield pytest.param(flow.flow_id, case, id=f"{flow.flow_id}: {case.name}")


def _ends_soon(flow: Flow, case: Case) -> bool:
    if case.mocks or case.signals or case.answers or case.cancel_at:
        return False
    rehearsed = rehearse(flow, case)
    return rehearsed.execution.status.terminal and rehearsed.seconds <= SOON


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_a_rehearsal_and_the_workers_come_to_the_same(patterns: Patterns, name: str, case: Case) -> None:
    flow = validation.load((PATTERNS / f"{name}.yaml").read_text("utf-8"))
    rehearsed = rehearse(flow, case)
    seen = patterns.run(name, case.input).seen
    assert (seen.status, seen.output) == (rehearsed.execution.status, rehearsed.execution.output)
    ended = {path: str(rehearsed.node(path).status) for path in rehearsed.nodes if not paths.is_frame(path)}
    assert {path: status for path, status in seen.statuses.items() if path in ended} == ended
