"""Answers that a node keeps: used again for the same question of the same tenant, and for no other."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from aispine import secrets, settings
from aispine.engine import caching
from aispine.retention import Retention
from aispine.store.database import Store
from aispine.store.models import CachedAnswerRow
from tests.support.agents import Answer, HttpAgent
from tests.support.calls import audited
from tests.support.flows import Flows, Seen
from tests.support.shapes import agent, flow
from tests.support.workers import Workers

REPLY = {
    "status": "success",
    "output": {"message": "hi", "data": {"said": "sesame-2026"}, "metadata": {"tokens_used": 7, "model": "m"}},
}


def ask(flows: Flows, question: Any, flow_id: str = "cached", **keys: Any) -> Seen:
    node = agent("ask", "remote", **{"cache": {"ttl": "1h"}, "input": {"q": "${input.q}"}, **keys})
    return flows.run(flow(flow_id, node), {"q": question})


def kept(store: Store, tenant_id: str) -> list[CachedAnswerRow]:
    with store.session(None) as session:
        return list(session.scalars(select(CachedAnswerRow).filter_by(tenant_id=tenant_id)))


def test_the_same_question_is_not_asked_again(
    workers: Workers, flows: Flows, http_agent: HttpAgent, engine_store: Store
) -> None:
    http_agent.will("ask", Answer(body=REPLY), Answer(status=400), Answer(body=REPLY))
    first, again = ask(flows, 1), ask(flows, 1)
    assert (first.output, again.output) == ({"said": "sesame-2026"}, {"said": "sesame-2026"})
    assert len(http_agent.of("ask")) == 1
    node = again.nodes["ask"]
    assert (node.message, node.metadata) == ("hi", {"model": "m", "cached": True})
    assert (first.execution.metrics.token_usage, again.execution.metrics.token_usage) == (7, None)
    (call,) = audited(engine_store, flows.tenant_id, again.execution.execution_id, 1)
    assert (call.cached, call.outcome, call.host, call.tokens) == (True, "success", None, None)
    # A failure is not kept, and another question, another config, or no cache at all is another call.
    assert ask(flows, 2).status == "failed"
    assert ask(flows, 2).status == "completed"
    assert ask(flows, 1, "configured", config={"tone": "dry"}).status == "completed"
    assert ask(flows, 1, "uncached", cache=None).status == "completed"
    assert len(http_agent.of("ask")) == 5
    (stored,) = [row for row in kept(engine_store, flows.tenant_id) if row.execution_id == first.execution.execution_id]
    assert len(stored.key) == 64
    with engine_store.session(None) as session:
        past = func.clock_timestamp()
        session.execute(update(CachedAnswerRow).filter_by(key=stored.key).values(expires_at=past))
    ask(flows, 1)
    assert len(http_agent.of("ask")) == 6


def test_what_is_kept_has_no_secret_and_another_secret_is_another_question(
    workers: Workers, flows: Flows, http_agent: HttpAgent, engine_store: Store
) -> None:
    def ask_with(value: str) -> Seen:
        with engine_store.session(None) as session:
            secrets.put(session, flows.tenant_id, "word", value, settings.current())
        return ask(flows, 1, "secretive", input={"word": "${secrets.word}"})

    http_agent.will("ask", *[Answer(body=REPLY)] * 3)
    for _ in range(2):
        assert ask_with("sesame-2026").output == {"said": "[redacted]"}
    assert len(http_agent.of("ask")) == 1
    (row,) = kept(engine_store, flows.tenant_id)
    assert "sesame" not in repr((row.output, row.message, row.metadata_, row.key))
    assert ask_with("another-2026").output == {"said": "sesame-2026"}
    assert len(http_agent.of("ask")) == 2


def test_an_answer_that_refers_to_a_file_is_not_kept_and_one_that_is_goes_in_time(
    workers: Workers, flows: Flows, http_agent: HttpAgent, engine_store: Store
) -> None:
    picture = {"status": "success", "output": {"data": {"pages": [{"file_id": "f", "name": "a"}]}}}
    http_agent.will("ask", Answer(body=picture), Answer(body=picture))
    ask(flows, 3)
    ask(flows, 3)
    assert len(http_agent.of("ask")) == 2
    assert kept(engine_store, flows.tenant_id) == []
    ask(flows, 4, "brief", cache={"ttl": "1ms"})
    assert len(kept(engine_store, flows.tenant_id)) <= 1
    Retention(store=engine_store, seconds=0).forget()
    assert kept(engine_store, flows.tenant_id) == []


@pytest.mark.parametrize("part", ["tenant_id", "version", "endpoint", "input", "keys"])
def test_the_key_says_whose_question_of_which_agent_it_is_and_cannot_be_guessed(part: str) -> None:
    from dataclasses import replace

    from aispine.agent.contract import AgentRequest
    from aispine.agent.definition import AgentVersion

    version = AgentVersion(agent_id="a", version="1.0.0", kind="http", name="a", endpoint="http://a.test")
    request = AgentRequest(
        execution_id="e",
        node_id="n",
        path="n",
        attempt=1,
        idempotency_key="k",
        input={"b": 1, "a": 2},
        config={},
        timeout=1.0,
        tenant_id="t",
    )
    keys = "one,two"
    before = caching.key_of(version, request, keys)
    same = replace(request, execution_id="other", path="p", attempt=2, timeout=9.0, input={"a": 2, "b": 1})
    assert caching.key_of(version, same, "one") == before
    if part == "keys":
        keys = "two,one"
    elif part in {"version", "endpoint"}:
        version = replace(version, **{part: "http://b.test" if part == "endpoint" else "1.0.1"})
    else:
        request = replace(request, **{part: {"a": 3} if part == "input" else "t2"})
    assert caching.key_of(version, request, keys) != before
