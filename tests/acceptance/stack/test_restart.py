"""Everything may be stopped and started again while an execution waits."""

from __future__ import annotations

from typing import Any

from cli import local_stack
from cli.client import Client
from tests.support.polling import eventually

FLOW = """
flow_id: patient
version: 1.0.0
name: Waits for a person, a signal and the time
nodes:
  - {id: begin, type: input}
  - {id: nap, type: wait, seconds: 6, depends_on: [begin]}
  - {id: ask, type: approval, depends_on: [begin]}
  - {id: paid, type: wait, signal: paid, depends_on: [begin]}
  - {id: after_nap, type: processor, agent_id: echo, depends_on: [nap], config: {output: {rested: true}}}
  - {id: done, type: output, depends_on: [after_nap, ask, paid]}
"""


def _nodes(client: Client, execution_id: str) -> dict[str, Any]:
    found = client.get(f"/api/v1/executions/{execution_id}/results")["data"]
    return {node["path"]: node for node in found}


def _status(client: Client, execution_id: str) -> str:
    return str(client.get(f"/api/v1/executions/{execution_id}")["status"])


def test_a_restart_of_every_process_loses_neither_a_timer_nor_an_approval_nor_a_signal() -> None:
    with local_stack.temporary_home() as home:
        with local_stack.running(home) as client:
            client.post("/api/v1/flows", data=FLOW.encode(), headers={"Content-Type": "application/yaml"})
            started = client.post("/api/v1/flows/execute", json={"flow_id": "patient", "input_data": {"guest": "Ada"}})
            execution_id = started["execution_id"]
            eventually(lambda: _status(client, execution_id) == "waiting", what="the waiting")
            client.post(f"/api/v1/executions/{execution_id}/signals/early", json={"kept": True})
        with local_stack.running(home) as client:
            assert _status(client, execution_id) in {"waiting", "running"}
            assert {_nodes(client, execution_id)[path]["status"] for path in ("ask", "paid")} == {"waiting"}
            eventually(lambda: _nodes(client, execution_id)["after_nap"]["status"] == "completed", 30, what="the timer")
            client.post(f"/api/v1/executions/{execution_id}/signals/paid", json={"amount": 12})
            client.post(f"/api/v1/executions/{execution_id}/approvals", json={"path": "ask", "approved": True})
            eventually(lambda: _status(client, execution_id) == "completed", what="the end")
            output = client.get(f"/api/v1/executions/{execution_id}")["output"]
    assert output["after_nap"] == {"rested": True}
    assert output["paid"] == {"amount": 12}
    assert output["ask"]["approved"] is True
