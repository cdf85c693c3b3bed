from __future__ import annotations

import pytest

from aispine.agent.contract import AgentFailure, AgentReply, ContractError, read_health, read_reply

HEALTH = {"agent_id": "eddie", "version": "v1.4.0", "capabilities": ["score"], "ready": True}


def success(**output):
    return {"status": "success", "output": output, "execution_id": "e1"}


def test_data_that_are_an_object_are_the_output():
    reply = read_reply(success(message="done", data={"a": 1}, metadata={"tokens_used": 3}), "e1")
    assert reply == AgentReply(output={"a": 1}, message="done", metadata={"tokens_used": 3})


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        ({"data": [1, 2]}, [1, 2]),
        ({"message": "hi"}, {"message": "hi"}),
        ({"message": "hi", "data": None}, {"message": "hi"}),
        ({}, {}),
        ({"data": 0}, 0),
    ],
)
def test_other_data_are_the_output_as_they_are_and_none_is_the_message(output, seen):
    reply = read_reply(success(**output), "e1")
    assert isinstance(reply, AgentReply)
    assert reply.output == seen


def test_an_error_is_a_failure_with_the_agents_own_code_beside_it():
    failure = read_reply({"status": "error", "error_message": "no", "error_code": "E7", "output": None}, "e1")
    assert failure == AgentFailure(code="agent_error", message="no", detail={"error_code": "E7"})


def test_an_error_without_a_message_still_says_something():
    failure = read_reply({"status": "error"}, "e1")
    assert isinstance(failure, AgentFailure)
    assert "without a message" in failure.message


def test_an_answer_without_execution_id_is_taken():
    assert isinstance(read_reply({"status": "success", "output": {}}, "e1"), AgentReply)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ([], "the answer"),
        ("nonsense", "the answer"),
        (None, "the answer"),
        ({}, "`status`"),
        ({"status": "ok"}, "`status`"),
        ({"status": 200}, "`status`"),
        ({"status": "success"}, "`output`"),
        ({"status": "success", "output": []}, "`output`"),
        (success(message=7), "`output.message`"),
        (success(metadata=[]), "`output.metadata`"),
        ({"status": "success", "output": {}, "execution_id": "other"}, "`execution_id`"),
        ({"status": "success", "output": {}, "execution_id": 7}, "`execution_id`"),
        ({"status": "error", "error_message": {}}, "`error_message`"),
    ],
)
def test_what_does_not_fit_is_named(answer, named):
    with pytest.raises(ContractError, match=named):
        read_reply(answer, "e1")


def test_health_is_read_and_its_version_loses_the_leading_v():
    health = read_health({**HEALTH, "rate_limit": {"requests_per_minute": 60, "other": "x"}, "endpoint": "http://x"})
    assert (health.agent_id, health.version, health.capabilities, health.ready) == ("eddie", "1.4.0", ("score",), True)
    assert health.rate_limit == {"requests_per_minute": 60}
    assert health.max_concurrency is None
    assert read_health({**HEALTH, "max_concurrency": 5}).max_concurrency == 5


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"agent_id": ""}, "`agent_id`"),
        ({"version": "1.4"}, "`version`"),
        ({"version": None}, "`version`"),
        ({"ready": "yes"}, "`ready`"),
        ({"capabilities": "score"}, "`capabilities`"),
        ({"capabilities": [1]}, "`capabilities`"),
        ({"rate_limit": {"requests_per_minute": 0}}, "rate_limit.requests_per_minute"),
        ({"max_concurrency": 0}, "`max_concurrency`"),
        ({"rate_limit": []}, None),
        ({"rate_limit": 5}, "`rate_limit`"),
        ({"endpoint": 5}, "`endpoint`"),
    ],
)
def test_a_health_that_does_not_fit_is_named(changes, named):
    if named is None:
        assert read_health({**HEALTH, **changes}).rate_limit == {}
    else:
        with pytest.raises(ContractError, match=named):
            read_health({**HEALTH, **changes})
