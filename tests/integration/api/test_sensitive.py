"""Sensitive values: hidden in everything that the API shows, unless a key may see them and asks to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from aispine.agent import manifest, record
from aispine.agent.contract import AgentFailure, AgentReply
from aispine.store import api_keys, node_logs
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS, begin, fact, finish, take
from tests.support.shapes import agent, flow

NUMBER = "C01X00T47"
ISSUED = "ES-99881"
SHOWN = ["", "/results", "/events", "/logs", "/stream"]

FLOW = flow(
    "passports",
    {"id": "receive", "type": "input"},
    agent("read", "passport_reader", "receive", input={"scan": "${input.number}"}),
    agent("check", "echo", "read", on_error="continue"),
    {"id": "ask", "type": "approval", "depends_on": ["check"], "input": "${nodes.read.output}"},
    input_schema={"type": "object", "properties": {"number": {"type": "string", "x-sensitive": True}}},
)


@pytest.fixture
def execution(client: FlaskClient, engine_store: Store, tenant: str, tmp_path: Path) -> str:
    """One whose agents got and told sensitive values, in outputs, errors and logs."""
    (tmp_path / "agent.py").write_text("def execute(input, config, context): ...")
    output = {"type": "object", "properties": {"issued": {"x-sensitive": True}}}
    definition = {"agent_id": "passport_reader", "version": "1.0.0", "pool": "io", "output_schema": output}
    (tmp_path / "agent.yaml").write_text(yaml.safe_dump(definition))
    with engine_store.session(None) as session:
        record.save(session, tenant, manifest.read(tmp_path))
    assert client.post("/api/v1/flows", data=yaml.safe_dump(FLOW), content_type="application/yaml").status_code == 201
    body = {"flow_id": "passports", "input_data": {"number": NUMBER, "desk": 4}}
    answer = client.post("/api/v1/flows/execute", json=body)
    assert answer.status_code == 202, answer.text
    assert NUMBER not in answer.text
    execution_id = str(answer.json["execution_id"])
    begin(engine_store, execution_id)
    held = take(engine_store, execution_id, "read")
    assert held.node.input == {"scan": NUMBER}
    node_logs.keep(engine_store, held.execution, held.node, f"read {NUMBER}")
    finish(engine_store, held, fact(held, AgentReply(output={"issued": ISSUED, "desk": 4})), TERMS)
    held = take(engine_store, execution_id, "check")
    finish(engine_store, held, fact(held, AgentFailure(code="rejected", message=f"{ISSUED} is not known")), TERMS)
    return execution_id


@pytest.mark.parametrize("part", SHOWN)
def test_everything_hides_them(client: FlaskClient, execution: str, part: str) -> None:
    # Cancelled, so that the stream ends.
    client.post(f"/api/v1/executions/{execution}/cancel")
    answer = client.get(f"/api/v1/executions/{execution}{part}")
    assert answer.status_code == 200, answer.text
    assert NUMBER not in answer.text
    assert ISSUED not in answer.text
    assert "[sensitive]" in answer.text


def test_only_what_is_sensitive_is_hidden(client: FlaskClient, execution: str) -> None:
    nodes = {node["path"]: node for node in client.get(f"/api/v1/executions/{execution}/results").json["data"]}
    assert nodes["receive"]["output"] == {"number": "[sensitive]", "desk": 4}
    assert nodes["read"]["output"] == {"issued": "[sensitive]", "desk": 4}
    assert nodes["check"]["error"]["message"] == "[sensitive] is not known"
    (waiting,) = client.get("/api/v1/approvals", query_string={"execution_id": execution}).json["data"]
    assert waiting["input"] == {"issued": "[sensitive]", "desk": 4}


def test_a_key_that_may_see_them_does_when_it_asks(
    client: FlaskClient, client_of: Any, engine_store: Store, tenant: str, execution: str
) -> None:
    client.post(f"/api/v1/executions/{execution}/cancel")
    with engine_store.session(None) as session:
        key = api_keys.create(session, tenant, name="auditor", permissions=[api_keys.SENSITIVE])
    auditor = client_of(key)
    for part in SHOWN:
        place = f"/api/v1/executions/{execution}{part}"
        shown = auditor.get(place, query_string={"show_sensitive": "true"})
        assert NUMBER in shown.text or ISSUED in shown.text, part
        assert NUMBER not in auditor.get(place).text
        refused = client.get(place, query_string={"show_sensitive": "true"})
        assert (refused.status_code, refused.json["code"]) == (403, "forbidden")


def test_an_input_that_does_not_fit_is_refused_without_telling_it(client: FlaskClient, execution: str) -> None:
    answer = client.post("/api/v1/flows/execute", json={"flow_id": "passports", "input_data": {"number": 4711_0815}})
    assert answer.status_code == 422
    assert answer.json["field"] == "input.number"
    assert "47110815" not in answer.text


def test_what_an_agent_that_is_gone_said_stays_hidden(
    client: FlaskClient, engine_store: Store, tenant: str, execution: str
) -> None:
    client.post(f"/api/v1/executions/{execution}/cancel")
    assert client.delete("/api/v1/agents/passport_reader").status_code == 204
    answer = client.get(f"/api/v1/executions/{execution}/results")
    assert ISSUED not in answer.text


def test_what_a_node_is_asked_to_ask_for_is_hidden_where_its_schema_says_so(
    client: FlaskClient, engine_store: Store, tenant: str
) -> None:
    asked = {
        "schema": {"properties": {"number": {"type": "string", "x-sensitive": True}, "nights": {"type": "integer"}}}
    }
    source = flow("asking", agent("data", "zoe", config=asked), agent("say", "echo", "data"))
    assert client.post("/api/v1/flows", data=yaml.safe_dump(source), content_type="application/yaml").status_code == 201
    body = {"flow_id": "asking", "input_data": {"number": NUMBER, "nights": 4}}
    execution_id = str(client.post("/api/v1/flows/execute", json=body).json["execution_id"])
    begin(engine_store, execution_id)
    held = take(engine_store, execution_id, "data")
    reply = AgentReply(output={"fields": {"number": NUMBER, "nights": 4}}, message=f"{NUMBER} for 4 nights")
    finish(engine_store, held, fact(held, reply), TERMS)
    nodes = {row["path"]: row for row in client.get(f"/api/v1/executions/{execution_id}/results").json["data"]}
    assert nodes["data"]["output"] == {"fields": {"number": "[sensitive]", "nights": 4}}
    assert nodes["data"]["message"] == "[sensitive] for 4 nights"
    assert nodes["say"]["input"] == {"fields": {"number": "[sensitive]", "nights": 4}}
