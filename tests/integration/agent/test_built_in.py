"""Every built-in agent does in a worker, and served over HTTP, what its samples say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from aispine.agent import checkup, record
from aispine.agent.contract import AgentFailure, AgentReply
from aispine.agent.definition import AgentVersion
from aispine.agent.folder import built_in
from aispine.agent.llm.means import Means
from aispine.agent.llm.rehearsal import PlayedTools, line, played
from aispine.agent.sample import Sample
from aispine.agent.server import AgentServer
from aispine.agent.testing import LocalAgent, load_agent
from aispine.engine import views
from aispine.engine.node_views import NodeView
from aispine.files import TenantFiles
from aispine.flow.outcome import Ended
from aispine.model.standin import playing
from aispine.settings import Settings, current
from aispine.store.database import Store
from aispine.tool import registry as tools
from tests.support import service
from tests.support.flows import Flows
from tests.support.service import Reply
from tests.support.workers import Workers

FOLDERS = sorted(built_in().iterdir())
SETTINGS = Settings(allowed_hosts="loopback", node_timeout=60.0)
PROBES = 2
"""How often the checks of a URL call the agent before its samples do."""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_served_over_http_it_keeps_the_contract_and_its_samples(folder: Path) -> None:
    agent = load_agent(folder)
    checks = [check for each in _served_apart(agent) for check in each]
    assert [(check.name, check.problem) for check in checks if not check.passed] == []
    assert {f"sample: {sample.name}" for sample in agent.samples} <= {check.name for check in checks}


def _served_apart(agent: LocalAgent) -> Iterator[list[checkup.Check]]:
    """A model is played anew for each sample, and for the probes that go before it; code is served once."""
    apart = [[sample] for sample in agent.samples] if agent.definition.kind == "llm" else [agent.samples]
    for samples in apart:
        with _serving(agent.definition, samples[0]) as server:
            yield checkup.check_endpoint(server.url, samples, SETTINGS)


@contextmanager
def _serving(agent: AgentVersion, sample: Sample) -> Iterator[AgentServer]:
    means = None
    with ExitStack() as stack:
        if agent.kind == "llm":
            said = [line(each) for each in sample.model] * (PROBES + 1)
            agent = played(agent, stack.enter_context(playing(said)))
            answers = {name: [*given] * (PROBES + 1) for name, given in sample.tools.items()}
            means = Means(tools=PlayedTools(answers))
        server = stack.enter_context(AgentServer(agent, SETTINGS, host="127.0.0.1", port=0, means=means))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_in_a_worker_each_keeps_its_samples(workers: Workers, flows: Flows, web_store: Store) -> None:
    agents = [load_agent(folder) for folder in FOLDERS]
    code = [agent for agent in agents if agent.definition.kind == "python"]
    inputs = {
        agent.definition.agent_id: [_stored(web_store, flows.tenant_id, agent, each.input) for each in agent.samples]
        for agent in code
    }
    missed = {}
    started = {
        agent.definition.agent_id: flows.start(flows.deploy(_flow(agent)), inputs[agent.definition.agent_id])
        for agent in code
    }
    for agent in code:
        nodes = _outcomes(flows, web_store, started[agent.definition.agent_id])
        for place, sample in enumerate(agent.samples):
            missed[f"{agent.definition.agent_id}: {sample.name}"] = sample.misses(nodes[f"n{place}"])
    assert {name: misses for name, misses in missed.items() if misses} == {}
    assert len(missed) > 30


def _flow(agent: LocalAgent) -> dict[str, Any]:
    """A node for each sample, one after the other."""
    agent_id = agent.definition.agent_id
    nodes = [
        {
            "id": f"n{place}",
            "type": "processor",
            "agent_id": agent_id,
            "input": f"${{input[{place}]}}",
            "config": dict(sample.config),
            "retry": {"max_attempts": 1},
            "on_error": "continue",
            "timeout": 60,
            "depends_on": [f"n{place - 1}"] if place else [],
        }
        for place, sample in enumerate(agent.samples)
    ]
    return {"flow_id": f"samples_{agent_id}", "version": "1.0.0", "name": "Samples", "nodes": nodes}


def _stored(store: Store, tenant_id: str, agent: LocalAgent, value: Any) -> Any:
    """The input with the files beside the samples stored as the tenant's."""
    if isinstance(value, dict) and isinstance(value.get("file_id"), str):
        path = Path(str(agent.definition.folder)) / "samples" / value["file_id"]
        files = TenantFiles(store=store, tenant_id=tenant_id, settings=current())
        return files.put(path.read_bytes(), name=path.name).reference.as_dict() if path.is_file() else value
    if isinstance(value, dict):
        return {name: _stored(store, tenant_id, agent, each) for name, each in value.items()}
    return value


def _outcomes(flows: Flows, store: Store, execution_id: str) -> dict[str, Ended]:
    flows.wait(execution_id, seconds=120)
    with store.session(flows.tenant_id) as session:
        return {node.path: _outcome(node) for node in views.results(session, execution_id, sensitive=True)}


def _outcome(node: NodeView) -> Ended:
    if node.error is None:
        return AgentReply(output=node.output)
    return AgentFailure(code=str(node.error["code"]), message=str(node.error["message"]))


def test_in_a_worker_a_language_model_keeps_its_samples(workers: Workers, flows: Flows, web_store: Store) -> None:
    models = [agent for agent in map(load_agent, FOLDERS) if agent.definition.kind == "llm"]
    assert models
    for agent in models:
        # One model and one shop for all samples: a worker knows for some seconds where they are.
        with playing() as model, service.serving() as shop:
            named = (agent.definition.llm or {}).get("tools", ())
            with web_store.session(flows.tenant_id) as session:
                record.save(session, flows.tenant_id, played(agent.definition, model))
                for name in named:
                    tool = {"tool_id": name, "endpoint": f"{shop.url}/{name}"}
                    tools.create(session, flows.tenant_id, tool, current())
            for place, sample in enumerate(agent.samples):
                model.says(*(line(each) for each in sample.model))
                for name in named:
                    shop.on("POST", f"/{name}", *(Reply(body=each) for each in sample.tools.get(name, [{}])))
                one = {**_flow(agent), "flow_id": f"{agent.definition.agent_id}_{place}"}
                one["nodes"] = [{**one["nodes"][place], "id": "n0", "input": "${input[0]}", "depends_on": []}]
                started = flows.start(flows.deploy(one), [sample.input])
                assert sample.misses(_outcomes(flows, web_store, started)["n0"]) == [], sample.name
                assert model.left == 0
