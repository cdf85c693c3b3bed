"""Checks of agents' health: who is due, what is found, and what follows from it."""

from __future__ import annotations

import pytest

from aispine.agent.definition import AgentVersion
from aispine.agent.registry import show
from aispine.agent.rounds import Rounds, objection
from aispine.engine.readiness import Readiness
from aispine.settings import current
from aispine.store import agent_health
from aispine.store.database import Store
from aispine.store.models import AgentHealthRow, AgentVersionRow
from tests.support.agents import HttpAgent
from tests.support.environment import Servers


@pytest.fixture
def rounds(engine_store: Store, settings_env: Servers) -> Rounds:
    return Rounds(engine_store, current(), every=0.0)


def stands(engine_store: Store, tenant: str) -> AgentHealthRow:
    with engine_store.session(None) as session:
        row = agent_health.of_version(session, tenant, "remote", "1.0.0")
    assert row is not None
    return row


def check_until_seen(rounds: Rounds, engine_store: Store, tenant: str, checks: int) -> AgentHealthRow:
    """Agents of other tests are due as well, so one round may not get to all."""
    for _ in range(20):
        rounds.round()
        row = stands(engine_store, tenant)
        if len(row.history) >= checks:
            return row
    raise AssertionError("the agent was not checked")


def test_an_agent_that_does_not_answer_three_times_is_not_called_and_one_that_is_back_is(
    no_workers: None, rounds: Rounds, http_agent: HttpAgent, web_store: Store, engine_store: Store, tenant: str
) -> None:
    row = check_until_seen(rounds, engine_store, tenant, 1)
    assert (row.ready, row.error, objection(row)) == (True, None, None)
    with engine_store.session(None) as session:
        version = session.get(AgentVersionRow, row.agent_version_id)
        assert version is not None
        version.definition = {**version.definition, "endpoint": "http://127.0.0.1:1"}
    seen = [check_until_seen(rounds, engine_store, tenant, number) for number in (2, 3, 4)]
    assert [each.failures for each in seen] == [1, 2, 3]
    assert [objection(each) is None for each in seen] == [True, True, False]
    with web_store.session(tenant) as session:
        agent: AgentVersion = show(session, tenant, "remote").agent
    problem = Readiness().objection(engine_store, tenant, agent)
    assert problem is not None
    assert "cannot be reached" in problem
    with engine_store.session(None) as session:
        version = session.get(AgentVersionRow, row.agent_version_id)
        assert version is not None
        version.definition = {**version.definition, "endpoint": http_agent.endpoint}
    back = check_until_seen(rounds, engine_store, tenant, 5)
    assert (back.ready, back.failures, objection(back)) == (True, 0, None)
