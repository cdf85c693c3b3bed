"""HTTP agents that fail in every way: each is told by its code, and only what may pass is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.agents import Answer, HttpAgent
from tests.support.flows import Flows, Seen
from tests.support.polling import eventually
from tests.support.shapes import agent, flow

pytestmark = pytest.mark.usefixtures("workers")
RETRY = {"max_attempts": 2, "initial_delay": 0.02, "jitter": "none"}


def _run(flows: Flows, **keys: Any) -> Seen:
    return flows.run(flow("asks", agent("a", "remote", retry=RETRY, **keys)), {"x": 1})


def test_an_agent_is_asked_as_the_contract_says(flows: Flows, http_agent: HttpAgent) -> None:
    seen = _run(flows, config={"tone": "dry"})
    assert seen.output == {"x": 1}
    (call,) = http_agent.calls
    assert call.body == {
        "execution_id": seen.execution.execution_id,
        "node_id": "a",
        "input": {"x": 1},
        "config": {"tone": "dry"},
    }
    assert call.headers["X-AISpine-Attempt"] == "1"


FAILURES = {
    "500": (Answer(status=500, body={}), "unavailable", 2),
    "503": (Answer(status=503, body={}), "unavailable", 2),
    "429": (Answer(status=429, body={}, headers={"Retry-After": "0"}), "rate_limited", 2),
    "hangs up": (Answer(hang_up=True), "unavailable", 2),
    "400": (Answer(status=400, body={}), "rejected", 1),
    "401": (Answer(status=401, body={}), "rejected", 1),
    "302": (Answer(status=302, body={}, headers={"Location": "/elsewhere"}), "invalid_response", 1),
    "no JSON": (Answer(body=b"<html>"), "invalid_response", 1),
    "empty": (Answer(body=b""), "invalid_response", 1),
    "a list": (Answer(body=b"[1]"), "invalid_response", 1),
    "no status": (Answer(body={"output": {}}), "invalid_response", 1),
    "too much": (Answer(body=b'"' + b"x" * 11_000_000 + b'"'), "invalid_response", 1),
    "another execution": (
        Answer(body={"status": "success", "output": {}, "execution_id": "other"}),
        "invalid_response",
        1,
    ),
    "status error": (Answer(body={"status": "error", "error_message": "no", "error_code": "E7"}), "agent_error", 1),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_has_its_code_and_its_number_of_attempts(flows: Flows, http_agent: HttpAgent, name: str) -> None:
    answer, code, attempts = FAILURES[name]
    http_agent.will("a", answer, answer, answer)
    seen = _run(flows)
    assert seen.status == "failed"
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == code
    assert seen.nodes["a"].attempts == attempts
    assert len(http_agent.calls) == attempts


def test_a_failure_that_passes_is_forgotten_and_keeps_the_idempotency_key(flows: Flows, http_agent: HttpAgent) -> None:
    http_agent.will("a", Answer(status=503, body={}))
    seen = _run(flows)
    assert seen.status == "completed"
    assert [call.headers["X-AISpine-Attempt"] for call in http_agent.calls] == ["1", "2"]
    assert len({call.headers["Idempotency-Key"] for call in http_agent.calls}) == 1


def test_an_agent_that_does_not_answer_times_out(flows: Flows, http_agent: HttpAgent) -> None:
    http_agent.will("a", Answer(hold=True), Answer(hold=True))
    seen = _run(flows, timeout=0.3)
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == "timeout"
    assert seen.nodes["a"].attempts == 2


def test_slow_calls_run_side_by_side(flows: Flows, http_agent: HttpAgent) -> None:
    names = [f"a{index}" for index in range(6)]
    for name in names:
        http_agent.will(name, Answer(hold=True))
    execution_id = flows.start(flows.deploy(flow("side_by_side", *(agent(name, "remote") for name in names))))
    eventually(lambda: len(http_agent.calls) == len(names), what="all calls at once")
    http_agent.release()
    assert flows.wait(execution_id).status == "completed"
