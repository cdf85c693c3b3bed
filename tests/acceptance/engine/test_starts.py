"""A start that the API has accepted, whatever becomes of the process that accepted it."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Final

from aispine import settings
from api.app import create_app
from tests.support.environment import ROOT, Servers, process_environment
from tests.support.flows import Flows
from tests.support.shapes import echo, flow
from tests.support.workers import Workers

EXECUTE: Final = "/api/v1/flows/execute"
KILLED: Final = """
import os, signal, sys
from aispine import settings
from aispine.engine import canvas
from api.app import create_app

canvas.send_start = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
headers = {"Authorization": f"Bearer {sys.argv[1]}", "Idempotency-Key": "order-1"}
create_app(settings.current()).test_client().post("/api/v1/flows/execute", json={"flow_id": "order"}, headers=headers)
"""


def test_a_start_whose_process_died_before_its_first_message_runs_once(
    workers: Workers, flows: Flows, servers: Servers, api_key: str
) -> None:
    flow_id = flows.deploy(flow("order", echo("a")))
    command = [sys.executable, "-c", KILLED, api_key]
    died = subprocess.run(command, env=process_environment(servers), cwd=ROOT, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": "order-1"}
    app = create_app(settings.current())
    again = app.test_client().post(EXECUTE, json={"flow_id": flow_id}, headers=headers)
    app.extensions["aispine"].store.dispose()
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.json is not None
    seen = flows.wait(again.json["execution_id"])
    assert (seen.status, seen.count("execution.started"), seen.nodes["a"].attempts) == ("completed", 1, 1)
