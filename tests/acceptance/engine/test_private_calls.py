"""What a call gets beside its input: secrets, which are written nowhere, and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from aispine import secrets, settings
from aispine.agent import manifest, record
from aispine.agent.contract import FailureCode
from aispine.files import TenantFiles
from aispine.store.database import Store
from aispine.store.models import Base
from tests.support.agents import HttpAgent
from tests.support.flows import Flows
from tests.support.shapes import agent, flow

pytestmark = pytest.mark.usefixtures("workers")
KEY = "k-4711-very-secret"


def _everything(store: Store, tenant_id: str) -> str:
    """All that is stored of a tenant, as one text."""
    with store.session(None) as session:
        rows = [
            session.scalars(text(f"SELECT row_to_json(t)::text FROM {table} t WHERE tenant_id = '{tenant_id}'")).all()
            for table in Base.metadata.tables
        ]
    return json.dumps(rows)


def test_a_secret_reaches_the_agent_and_nothing_else(
    flows: Flows, http_agent: HttpAgent, web_store: Store, engine_store: Store, tenant: str
) -> None:
    with web_store.session(tenant) as session:
        secrets.put(session, tenant, "bank_key", KEY, settings.current())
    node = agent(
        "a",
        "remote",
        input={"auth": "Bearer ${secrets.bank_key}", "said": "${input.said}"},
        config={"key": "${secrets.bank_key}"},
        set={"kept": "${output.auth}"},
    )
    listed = agent("b", "remote", input=["${secrets.bank_key}", "${input.said}"])
    seen = flows.run(flow("private", node, listed, output="${nodes.a.output}"), {"said": "${secrets.bank_key}"})
    (call,) = http_agent.of("a")
    assert call.body["input"] == {"auth": f"Bearer {KEY}", "said": "${secrets.bank_key}"}
    assert call.body["config"] == {"key": KEY}
    assert http_agent.of("b")[0].body["input"] == {"value": [KEY, "${secrets.bank_key}"]}
    # The agent answers with what it got.
    assert seen.output == {"auth": "Bearer [redacted]", "said": "${secrets.bank_key}"}
    assert seen.nodes["a"].input == {"auth": "Bearer ${secrets.bank_key}", "said": "${secrets.bank_key}"}
    assert KEY not in _everything(engine_store, tenant)


def test_a_secret_that_is_not_there_fails_the_node(flows: Flows, http_agent: HttpAgent) -> None:
    seen = flows.run(flow("private", agent("a", "remote", input={"auth": "${secrets.other}"})))
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == FailureCode.EXPRESSION_ERROR
    assert "`other`" in seen.nodes["a"].error["message"]
    assert http_agent.calls == []


CODE = """
def execute(input, config, context):
    text = context.files.read(input["document"])
    return {"loud": context.files.write(text.upper(), name="loud.txt")}
"""


def test_a_python_agent_reads_and_writes_the_files_of_its_tenant_alone(
    flows: Flows, web_store: Store, engine_store: Store, tenant: str, tmp_path: Path
) -> None:
    folder = tmp_path / "louder"
    folder.mkdir()
    (folder / "agent.yaml").write_text("agent_id: louder\nversion: 1.0.0\npool: io\n")
    (folder / "agent.py").write_text(CODE)
    with engine_store.session(None) as session:
        record.save(session, tenant, manifest.read(folder))
    files = TenantFiles(store=web_store, tenant_id=tenant, settings=settings.current())
    strange = TenantFiles(store=engine_store, tenant_id="somebody", settings=settings.current())
    sent = files.put(b"hello", name="a.txt").reference.as_dict()
    seen = flows.run(flow("loud", agent("a", "louder")), {"document": sent})
    assert files.read(seen.output["loud"]) == b"HELLO"
    others = strange.put(b"not yours", name="a.txt").reference.as_dict()
    seen = flows.run(flow("loud", agent("a", "louder")), {"document": others})
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == FailureCode.INVALID_INPUT
