"""Serves an agent over HTTP: the contract's `/health` and `/execute`, for `aispine agent serve`."""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import aispine
from aispine.agent.call import call
from aispine.agent.contract import (
    CALLBACK_HEADER,
    AgentAccepted,
    AgentFailure,
    AgentReply,
    AgentRequest,
    FailureCode,
    Outcome,
)
from aispine.agent.definition import AgentVersion
from aispine.agent.llm.means import Means
from aispine.flow.jsonvalue import parse
from aispine.settings import Settings

IDLE_SECONDS: Final = 60
Answer = tuple[int, dict[str, Any], dict[str, str]]


class Refused(Exception):
    """A request that is answered with an error before the agent sees it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class AgentServer(ThreadingHTTPServer):
    """One agent on one port; a thread a connection. `api_key` None lets everybody in; `means` are an llm agent's."""

    daemon_threads = True

    def __init__(
        self,
        agent: AgentVersion,
        settings: Settings,
        *,
        host: str,
        port: int,
        api_key: str | None = None,
        means: Means | None = None,
    ) -> None:
        self.agent = agent
        self.means = means
        self.settings = settings
        self.api_key = api_key
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = f"aispine/{aispine.__version__}"
    timeout = IDLE_SECONDS
    # Head and body leave in one packet: in two, the second would wait 40 ms for the first one's acknowledgement.
    wbufsize = -1
    server: AgentServer

    def do_GET(self) -> None:
        self._answer("/health", lambda: (200, _health(self.server), {}))

    def do_POST(self) -> None:
        self._answer("/execute", self._execute)

    def _answer(self, path: str, work: Any) -> None:
        try:
            if self.path.split("?")[0] != path:
                raise Refused(404, f"there is no {self.command} {self.path[:100]}")
            self._authenticate()
            status, body, headers = work()
        except Refused as refusal:
            status, body, headers = refusal.status, _error(str(refusal), _REFUSALS.get(refusal.status)), {}
            # The body was not read, so what follows on this connection is no request.
            self.close_connection = True
        self._send(status, body, headers)

    def _authenticate(self) -> None:
        expected = self.server.api_key
        given = self.headers.get("Authorization", "")
        if expected is not None and not hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
            raise Refused(401, "the API key is missing or wrong")

    def _execute(self) -> Answer:
        body = self._body()
        request = _request(body, self.headers, self.server)
        called = call(self.server.agent, request, self.server.settings, means=self.server.means)
        return _answer_of(called.outcome, request)

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise Refused(411, "Content-Length is required")
        if int(length) > self.server.settings.max_response_bytes:
            raise Refused(413, f"the body is larger than {self.server.settings.max_response_bytes} bytes")
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "the content type must be application/json")
        try:
            body = parse(self.rfile.read(int(length)))
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise Refused(400, "the body must be a JSON object")
        return body

    def _send(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


_REFUSALS: Final = {401: "unauthorized", 404: "not_found"}


def _health(server: AgentServer) -> dict[str, Any]:
    agent = server.agent
    return {
        "agent_id": agent.agent_id,
        "version": agent.version,
        "capabilities": list(agent.capabilities),
        "ready": True,
        "endpoint": server.url,
        "rate_limit": dict(agent.rate_limit),
        "max_concurrency": agent.max_concurrency,
    }


def _request(body: Mapping[str, Any], headers: Any, server: AgentServer) -> AgentRequest:
    execution_id, node_id = _text(body, "execution_id"), _text(body, "node_id")
    config = {} if body.get("config") is None else body["config"]
    if not isinstance(config, Mapping):
        raise Refused(400, "`config` must be an object")
    attempt = headers.get("X-AISpine-Attempt", "1")
    return AgentRequest(
        execution_id=execution_id,
        node_id=node_id,
        path=node_id,
        attempt=int(attempt) if attempt.isdigit() and len(attempt) < 6 else 1,
        idempotency_key=headers.get("Idempotency-Key") or f"{execution_id}/{node_id}",
        input=body.get("input"),
        config=config,
        timeout=server.agent.timeout or server.settings.node_timeout,
        tenant_id="",
        traceparent=headers.get("traceparent"),
        callback_url=headers.get(CALLBACK_HEADER),
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"`{name}` must be a text")
    return value


def _answer_of(outcome: Outcome, request: AgentRequest) -> Answer:
    if isinstance(outcome, AgentReply):
        output = {"message": outcome.message, "data": outcome.output, "metadata": dict(outcome.metadata)}
        return 200, {"status": "success", "output": output, "execution_id": request.execution_id}, {}
    if isinstance(outcome, AgentAccepted):
        limit = {} if outcome.timeout is None else {"timeout": outcome.timeout}
        return 202, {"status": "accepted", "execution_id": request.execution_id, **limit}, {}
    own_code = (outcome.detail or {}).get("error_code", outcome.code)
    body = _error(outcome.message, own_code) | {"execution_id": request.execution_id}
    return _STATUSES.get(outcome.code, 200), body, _retry_header(outcome)


_STATUSES: Final[Mapping[str, int]] = {
    FailureCode.INVALID_INPUT: 400,
    FailureCode.REJECTED: 422,
    FailureCode.RATE_LIMITED: 429,
    FailureCode.UNAVAILABLE: 503,
    FailureCode.TIMEOUT: 504,
}


def _retry_header(failure: AgentFailure) -> dict[str, str]:
    return {} if failure.retry_after is None else {"Retry-After": str(math.ceil(failure.retry_after))}


def _error(message: str, code: str | None) -> dict[str, Any]:
    return {"status": "error", "error_message": message, "error_code": code or "bad_request", "output": None}
