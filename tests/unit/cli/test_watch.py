"""What is said of an execution that did not complete."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.errors import AISpineError
from cli.client import Client
from cli.watch import check_completed
from tests.unit.cli.standin import Reply, Request, reply, serving

FAILED = {"execution_id": "e1", "status": "failed", "error": {"code": "agent_error", "message": "two nodes failed"}}


def node(path: str, message: str) -> dict[str, Any]:
    return {"path": path, "status": "failed", "error": {"code": "agent_error", "message": message}}


def refusal(nodes: list[dict[str, Any]], wrote: list[str]) -> AISpineError:
    def answer(request: Request) -> Reply:
        logs = [{"path": path, "attempt": 1, "text": "x"} for path in wrote]
        return reply({"data": logs if "/logs" in request.path else nodes})

    with serving(answer) as server, pytest.raises(AISpineError) as raised:
        check_completed(Client(server.url), FAILED)
    return raised.value


def test_the_error_of_the_only_failed_node_is_said_once_with_its_path() -> None:
    error = refusal([node("pages[1]/ocr", "blurred")], wrote=[])
    assert error.message == "the execution failed in `pages[1]/ocr`: agent_error: blurred"
    assert error.errors == ()


def test_each_of_several_failed_nodes_has_its_line() -> None:
    error = refusal([node("a", "no"), node("b", "never")], wrote=[])
    assert error.message == "the execution failed: agent_error: two nodes failed"
    assert [each["path"] for each in error.errors] == ["a", "b"]


def test_the_logs_are_pointed_at_only_where_something_was_written() -> None:
    failed = [node("a", "no"), node("pages[1]/ocr", "never")]
    assert "flow logs e1 --node 'pages[1]/ocr'" in str(refusal(failed, wrote=["pages[1]/ocr", "other"]).hint)
    assert "execution show e1" in str(refusal(failed, wrote=["other"]).hint)
