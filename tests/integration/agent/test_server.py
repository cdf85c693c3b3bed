from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace

import pytest
import requests
from cryptography.fernet import Fernet

from aispine.agent import checkup, credential, http, manifest
from aispine.agent.call import call
from aispine.agent.contract import AgentFailure, AgentReply
from aispine.agent.sample import Sample
from aispine.agent.server import AgentServer
from aispine.settings import Settings
from tests.unit.agent.support import request, write_agent

KEYS = Fernet.generate_key().decode()
SETTINGS = Settings(encryption_keys=KEYS, allowed_hosts="loopback", max_response_bytes=100_000)
CODE = """
from aispine.agent import AgentError, Reply
def execute(input, config, context):
    if "fail" in input:
        raise AgentError("as asked", **input["fail"])
    return Reply({"got": input, "attempt": context.attempt}, message="done", metadata={"tokens_used": 1})
"""
MORE = """\
capabilities: [test]
timeout: 5
input_schema: {type: object}
"""


@pytest.fixture
def served(tmp_path):
    agent = write_agent(tmp_path, CODE, more=MORE)
    with AgentServer(agent, SETTINGS, host="127.0.0.1", port=0, api_key="secret") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def remote(served):
    values = {"agent_id": "sample", "version": "1.0.0", "endpoint": served.url}
    return manifest.registration(values, credential=credential.seal("secret", KEYS))


def post(served, data, **headers):
    sent = {"Content-Type": "application/json", "Authorization": "Bearer secret", **headers}
    return requests.post(f"{served.url}/execute", data=data, headers=sent, timeout=10)


def test_a_served_agent_answers_as_it_does_in_a_worker(served):
    local = call(served.agent, request(attempt=2), SETTINGS).outcome
    over_http = call(remote(served), request(attempt=2), SETTINGS).outcome
    assert local == over_http
    assert over_http == AgentReply(
        output={"got": {"text": "hello"}, "attempt": 2}, message="done", metadata={"tokens_used": 1}
    )


@pytest.mark.parametrize(
    ("fail", "code", "retry_after"),
    [
        ({"code": "E7"}, "agent_error", None),
        ({"retryable": True}, "unavailable", None),
        ({"code": "rate_limited", "retry_after": 1.5}, "rate_limited", 2.0),
        ({"code": "rejected"}, "rejected", None),
    ],
)
def test_failures_come_through(served, fail, code, retry_after):
    failure = http.execute(remote(served), request(input={"fail": fail}), SETTINGS)
    assert isinstance(failure, AgentFailure)
    assert (failure.code, failure.retry_after, "as asked" in failure.message) == (code, retry_after, True)


def test_health_is_that_of_the_definition(served):
    health = http.health(remote(served), SETTINGS)
    assert (health.agent_id, health.version, health.capabilities, health.ready) == ("sample", "1.0.0", ("test",), True)


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"{nonsense", {}, 400),
        (b"[]", {}, 400),
        (b"{}", {}, 400),
        (json.dumps({"execution_id": "e", "node_id": "n", "input": {}, "config": []}), {}, 400),
        (json.dumps({"execution_id": "e", "node_id": "n", "input": []}), {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Authorization": "Bearer wrong"}, 401),
        (b"{}", {"Authorization": ""}, 401),
        (b" " * 200_000, {}, 413),
        (b"[" * 50_000, {}, 400),
    ],
)
def test_a_bad_request_is_refused_in_the_one_form(served, data, headers, status):
    answer = post(served, data, **headers)
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert answer.json()["error_message"]


def test_other_paths_are_not_found(served):
    assert requests.get(f"{served.url}/other", timeout=10).status_code == 404


def test_a_body_that_never_comes_holds_nobody_else_up(served):
    host, port = served.server_address[:2]
    with socket.create_connection((host, port)) as silent:
        silent.sendall(b"POST /execute HTTP/1.1\r\nAuthorization: Bearer secret\r\nContent-Length: 10\r\n")
        assert isinstance(http.execute(remote(served), request(), SETTINGS), AgentReply)


def test_the_checks_of_a_url_pass_for_a_served_agent(served):
    samples = [Sample(name="one", input={"a": 1}, expect={"output": {"got": {"a": 1}}})]
    checks = checkup.check_endpoint(served.url, samples, SETTINGS, credential=credential.seal("secret", KEYS))
    assert [(check.name, check.problem) for check in checks if not check.passed] == []
    assert len(checks) == 6


def test_the_checks_of_a_url_say_what_fails(served):
    checks = checkup.check_endpoint(served.url, [], replace(SETTINGS, max_response_bytes=10))
    assert [check.passed for check in checks] == [False]
    assert "401" in checks[0].problem
