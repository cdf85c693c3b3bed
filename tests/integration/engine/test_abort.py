from __future__ import annotations

from typing import Any

import pytest

from aispine.engine import decide
from aispine.engine.advance import advance
from aispine.engine.facts import Started
from aispine.engine.terms import Terms
from aispine.store import transitions
from aispine.store.database import Store
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

TERMS = Terms(owner="test:1:1")


def _started(flows: Flows, *nodes: dict[str, Any], data: Any = None) -> str:
    return flows.start(flows.deploy(flow("aborted", *nodes)), data or {}, announce=False)


def test_a_step_that_would_store_too_much_ends_the_execution(
    no_workers: None, engine_store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transitions, "MAX_BYTES", 20_000)
    body = [{"id": "copy", "type": "transform", "output": "${input.text}"}]
    data = {"text": "x" * 1_000, "items": list(range(50))}
    execution_id = _started(flows, {"id": "all", "type": "map", "items": "input.items", "body": body}, data=data)
    advance(engine_store, execution_id, [Started()], TERMS)
    seen = flows.see(execution_id)
    assert seen.status == "failed"
    assert seen.execution.error is not None
    assert seen.execution.error["code"] == "too_large"


def test_a_step_that_cannot_be_decided_ends_the_execution_instead_of_coming_back(
    no_workers: None, engine_store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a fault of ours")

    execution_id = _started(flows, echo("a"))
    monkeypatch.setitem(decide._RULES, Started, broken)
    advance(engine_store, execution_id, [Started()], TERMS)
    seen = flows.see(execution_id)
    assert seen.status == "failed"
    assert seen.execution.error is not None
    assert seen.execution.error["code"] == "internal_error"
    assert "a fault of ours" in seen.execution.error["message"]
