"""Calls of tools against a service that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet

from aispine.errors import InvalidTool
from aispine.flow.outcome import AgentFailure, AgentReply
from aispine.secrets import sealing
from aispine.settings import Settings
from aispine.store.ids import new_id
from aispine.tool import authorization, oauth, probe, record
from aispine.tool.call import call
from aispine.tool.definition import Tool, ToolRequest
from tests.support import service
from tests.support.service import Reply, Service

KEYS = Fernet.generate_key().decode()
SETTINGS = Settings(encryption_keys=KEYS, allowed_hosts="loopback", max_response_bytes=100_000)


@pytest.fixture
def shop() -> Iterator[Service]:
    with service.serving() as running:
        yield running


def tool(shop: Service, path: str = "/send", auth: dict[str, str] | None = None, **keys: Any) -> Tool:
    shown, secrets = authorization.split(auth or {"type": "none"})
    sealed = sealing.seal(json.dumps(secrets), KEYS) if secrets else None
    values = {"tool_id": "mail", "endpoint": shop.url + path, "auth_config": shown, **keys}
    return record.build(values, credential=sealed)


def run(found: Tool, value: Any = None, **changes: Any) -> AgentReply | AgentFailure:
    asked: dict[str, Any] = {"tenant_id": "t", "execution_id": "e1", "node_id": "n1", "timeout": 5.0}
    return call(found, ToolRequest(**asked, input=value or {}, idempotency_key="e1:n1", **changes), SETTINGS)


def failure(outcome: AgentReply | AgentFailure) -> AgentFailure:
    assert isinstance(outcome, AgentFailure)
    return outcome


def test_the_input_is_the_body_and_the_answer_the_output(shop: Service) -> None:
    shop.on("POST", "/send", Reply(status=201, body={"id": 7}))
    outcome = run(tool(shop, headers={"X-Region": "eu"}), {"to": "ada"}, attempt=2)
    assert outcome == AgentReply(output={"id": 7}, metadata={"status": 201})
    (asked,) = shop.asked
    assert asked.json == {"to": "ada"}
    sent = {"idempotency-key": "e1:n1", "x-aispine-attempt": "2", "x-region": "eu", "content-type": "application/json"}
    assert sent.items() <= asked.headers.items()
    assert "authorization" not in asked.headers


def test_a_get_fills_the_path_and_puts_the_rest_into_the_query(shop: Service) -> None:
    shop.on("GET", "/orders/A%2F1", Reply(body=[1]))
    outcome = run(tool(shop, "/orders/{order_id}", method="GET"), {"order_id": "A/1", "expand": ["a", "b"]})
    assert isinstance(outcome, AgentReply)
    assert shop.asked[0].query == {"expand": ["a", "b"]}
    assert shop.asked[0].body == b""


def test_a_tool_that_repeats_its_secret_is_not_repeated(shop: Service) -> None:
    shop.on("POST", "/send", Reply(body={"sent": "Bearer t0-secret"}), Reply(status=400, body={"message": "t0-secret"}))
    found = tool(shop, auth={"type": "bearer", "token": "t0-secret"})
    good = run(found)
    assert isinstance(good, AgentReply)
    assert good.output["sent"].startswith("Bearer ")
    assert "t0-secret" not in f"{good} {run(found)}"


def test_texts_and_empty_answers_are_values_too(shop: Service) -> None:
    shop.on("POST", "/send", Reply(body="sí".encode(), headers={"Content-Type": "text/plain"}), Reply(status=204))
    assert [getattr(run(tool(shop)), "output", "") for _ in range(2)] == ["sí", None]


@pytest.mark.parametrize(
    ("auth", "header", "sent"),
    [
        ({"type": "bearer", "token": "t0"}, "authorization", "Bearer t0"),
        ({"type": "header", "header": "X-API-Key", "value": "k0"}, "x-api-key", "k0"),
        ({"type": "basic", "username": "ada", "password": "pw"}, "authorization", "Basic YWRhOnB3"),
    ],
)
def test_who_calls_is_said(shop: Service, auth: dict[str, str], header: str, sent: str) -> None:
    shop.on("POST", "/send", Reply(body={}))
    run(tool(shop, auth=auth))
    assert shop.asked[0].headers[header] == sent


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=429, headers={"Retry-After": "7"}), "rate_limited"),
        (Reply(status=503), "unavailable"),
        (Reply(status=404, body={"message": "no such order"}), "rejected"),
        (Reply(status=302, headers={"Location": "http://elsewhere.example.com"}), "invalid_response"),
        (Reply(body=b"{nonsense"), "invalid_response"),
        (Reply(body=b"x", headers={"Content-Type": "image/png"}), "invalid_response"),
        (Reply(body="x" * 200_000), "invalid_response"),
        (Reply(body=b"\xff", headers={"Content-Type": "text/plain"}), "invalid_response"),
    ],
)
def test_a_refusal_has_the_code_that_agents_have(shop: Service, reply: Reply, code: str) -> None:
    shop.on("POST", "/send", reply)
    found = failure(run(tool(shop)))
    assert found.code == code
    assert found.retry_after == (7.0 if code == "rate_limited" else None)
    assert len(shop.asked) == 1


def test_both_schemas_bind(shop: Service) -> None:
    shop.on("POST", "/send", Reply(body={"id": "seven"}))
    schema = {"type": "object", "required": ["to"], "properties": {"id": {"type": "integer"}}}
    found = tool(shop, input_schema=schema, output_schema={"properties": {"id": {"type": "integer"}}})
    refused = failure(run(found, {"cc": "x"}))
    assert (refused.code, shop.asked) == ("invalid_input", [])
    assert failure(run(found, {"to": "x"})).code == "invalid_response"
    assert failure(run(tool(shop, "/{id}"), {"id": ".."})).code == "invalid_input"


def test_a_tool_on_a_private_address_is_refused_unless_it_is_allowed(shop: Service) -> None:
    request = ToolRequest(tenant_id="t", execution_id="e", node_id="n", input={}, timeout=5, idempotency_key="k")
    outcome = failure(call(tool(shop), request, Settings(encryption_keys=KEYS)))
    assert (outcome.code, shop.asked) == ("rejected", [])


OAUTH = {"type": "oauth2", "client_id": "app", "client_secret": "s3", "scope": "mail"}


def test_one_token_serves_many_calls_and_a_refused_one_is_asked_for_again(shop: Service) -> None:
    tokens = [Reply(body={"access_token": f"t{number}", "expires_in": 3600}) for number in range(3)]
    shop.on("POST", "/token", *tokens)
    shop.on("POST", "/send", Reply(body={}), Reply(body={}), Reply(status=401), Reply(body={"fresh": True}))
    found = tool(shop, auth=OAUTH | {"token_url": f"{shop.url}/token"})
    outcomes = [run(found) for _ in range(3)]
    assert outcomes[2] == AgentReply(output={"fresh": True}, metadata={"status": 200})
    sent = [asked.headers["authorization"] for asked in shop.of("/send")]
    assert sent == ["Bearer t0", "Bearer t0", "Bearer t0", "Bearer t1"]
    asked = shop.of("/token")[0]
    assert asked.form == {"grant_type": "client_credentials", "scope": "mail"}
    assert asked.headers["authorization"] == authorization.basic("app", "s3")


def test_many_threads_ask_for_one_token(shop: Service) -> None:
    shop.on("POST", "/token", Reply(body={"access_token": "t", "expires_in": 3600}))
    shop.on("POST", "/send", Reply(body={}))
    found = tool(shop, auth=OAUTH | {"token_url": f"{shop.url}/token", "client_auth": "body"})
    threads = [threading.Thread(target=run, args=(found,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [asked.form["client_secret"] for asked in shop.of("/token")] == ["s3"]
    assert len(shop.of("/send")) == 6


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=400, body={"error": "invalid_client"}), "rejected"),
        (Reply(status=503), "unavailable"),
        (Reply(body={"token": "t"}), "invalid_response"),
    ],
)
def test_without_a_token_the_tool_is_not_asked(shop: Service, reply: Reply, code: str) -> None:
    shop.on("POST", "/token", reply)
    found = failure(run(tool(shop, auth=OAUTH | {"token_url": f"{shop.url}/token"})))
    assert found.code == code
    assert found.message.startswith("no token: ")
    assert shop.of("/send") == []


def test_a_token_that_ends_soon_is_not_used_twice(shop: Service) -> None:
    shop.on("POST", "/token", Reply(body={"access_token": "t", "expires_in": oauth.EARLY}))
    shop.on("POST", "/send", Reply(body={}))
    found = tool(shop, auth=OAUTH | {"token_url": f"{shop.url}/token", "client_id": new_id()})
    for _ in range(2):
        run(found)
    assert len(shop.of("/token")) == 2


HEALTHY = {"status": "healthy", "version": "1.0.0", "tool_metadata": {"name": "Weather", "description": "Tells it."}}


def test_the_older_contract_is_spoken(shop: Service) -> None:
    answer = {"execution_id": "e1", "status": "success", "output_data": {"temperature": 22}, "execution_time_ms": 1200}
    shop.on("POST", "/api/execute", Reply(body=answer))
    outcome = run(tool(shop, "", contract="execute"), {"city": "León"}, config={"unit": "C"}, files=[{"file_id": "f"}])
    assert outcome == AgentReply(output={"temperature": 22}, metadata={"processing_time": 1.2})
    assert shop.asked[0].json == {
        "tool_id": "mail",
        "input_data": {"city": "León"},
        "config": {"unit": "C"},
        "execution_id": "e1",
        "metadata": {"node_id": "n1", "attempt": 1},
        "files": [{"file_id": "f"}],
    }


def test_files_that_an_input_refers_to_go_along_by_reference(shop: Service) -> None:
    shop.on("POST", "/api/execute", Reply(body={"status": "success", "output_data": None}))
    file = {"file_id": "f1", "name": "a.pdf", "media_type": "application/pdf", "size": 3, "sha256": "00"}
    run(tool(shop, "", contract="execute"), {"pages": [{"scan": file}]})
    assert shop.asked[0].json["files"] == [file]


def test_an_error_of_the_older_contract_is_the_tools_own(shop: Service) -> None:
    body = {"status": "error", "error_code": "CITY_UNKNOWN", "error_message": "no such city"}
    shop.on("POST", "/api/execute", Reply(body=body), Reply(body={"state": "fine"}))
    found = tool(shop, "", contract="execute")
    outcome = failure(run(found))
    assert (outcome.code, outcome.detail) == ("agent_error", {"error_code": "CITY_UNKNOWN"})
    assert failure(run(found)).code == "invalid_response"


def test_a_tool_of_the_older_contract_says_what_it_is(shop: Service) -> None:
    shop.on("GET", "/health", Reply(body=HEALTHY))
    shop.on("GET", "/schema", Reply(body={"input": {"city": {"type": "string", "required": True}}}))
    told = probe.ask(tool(shop, "", contract="execute"), SETTINGS)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert told == {"name": "Weather", "description": "Tells it.", "input_schema": schema}
    shop.on("GET", "/health", Reply(body={"status": "unhealthy"}))
    with pytest.raises(InvalidTool, match="healthy"):
        probe.ask(tool(shop, "", contract="execute"), SETTINGS)
