"""Fixtures for every test that needs real servers. A test asks for the least it needs:

- `servers`: embedded PostgreSQL and Redis, migrated, with the built-in agents; one set per test session.
- `settings_env`: `servers`, and the settings of this process (`AISPINE_*`) point at them.
- `web_store`, `engine_store`: the two logins' stores.
- `tenant`: the id of a fresh tenant, so that no test sees another's rows; `api_key`: a key of it.
- `workers`: real worker processes and beat, started at first use and shared; see `tests.support.workers.Workers`.
- `no_workers`: none run, so that a test can play them itself.
- `flows`: deploys, starts and waits (`tests.support.flows.Flows`); what it starts runs only with `workers`.
- `http_agent`: an agent on loopback, registered for the tenant as `remote`, that fails as it is told.

With `--broker` the servers have a real RabbitMQ, or SQS as moto has it, for the tests marked `core`; see
`make test-brokers`.

The workers notice a lost node within 2 s (`tests.support.environment.QUICK`). Poll with `tests.support.polling`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from aispine import settings
from aispine.agent import registry
from aispine.store import api_keys, database
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import Tenant
from tests.support import agents, environment
from tests.support.agents import HttpAgent
from tests.support.brokers import BROKERS
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.workers import Workers, working

PLENTY = {"rate_limit": {"requests_per_minute": 1_000_000}}
"""Tests ask one agent more often than it would take by default."""
_WORKERS = pytest.StashKey[Workers]()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    broker = BROKERS[request.config.getoption("--broker")]
    with broker() as broker_url, environment.serving(broker_url) as found:
        yield found


@pytest.fixture
def settings_env(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    for name, value in servers.env.items():
        monkeypatch.setenv(name, value)
    settings.current.cache_clear()
    yield servers
    settings.current.cache_clear()


@pytest.fixture
def web_store(settings_env: Servers) -> Store:
    return database.web_store()


@pytest.fixture
def engine_store(settings_env: Servers) -> Store:
    return database.engine_store()


@pytest.fixture
def tenant(engine_store: Store) -> str:
    tenant_id = f"t-{new_id()}"
    with engine_store.session(None) as session:
        session.add(Tenant(tenant_id=tenant_id, name="a test's own", plan_id="scale"))
    return tenant_id


@pytest.fixture
def api_key(engine_store: Store, tenant: str) -> str:
    with engine_store.session(None) as session:
        return api_keys.create(session, tenant, name="test")


@pytest.fixture
def flows(web_store: Store, tenant: str) -> Flows:
    return Flows(web_store, tenant)


@pytest.fixture(scope="session")
def _workers(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Workers]:
    with working(servers) as found:
        request.config.stash[_WORKERS] = found
        yield found


@pytest.fixture
def workers(_workers: Workers, settings_env: Servers) -> Workers:
    _workers.start()
    return _workers


@pytest.fixture
def no_workers(settings_env: Servers, request: pytest.FixtureRequest) -> None:
    """For tests that play the workers themselves: those of the session are stopped if they run.

    Does nothing for a test that asks for `workers` too.
    """
    if _WORKERS in request.config.stash and "workers" not in request.fixturenames:
        request.config.stash[_WORKERS].stop()


@pytest.fixture
def http_agent(web_store: Store, tenant: str) -> Iterator[HttpAgent]:
    with agents.serving("remote") as agent:
        with web_store.session(tenant) as session:
            registry.register_http(session, tenant, {"endpoint": agent.endpoint, **PLENTY}, settings.current())
        yield agent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--broker", choices=list(BROKERS), default="redis", help="what carries the messages")


def pytest_configure() -> None:
    # Set by what runs the tests in several processes; the command takes it for a person's terminal.
    os.environ.pop("COLUMNS", None)
    # Started in the background by a shell, the tests and all that they start would ignore the Ctrl-C that some send.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests that need running workers come last, so that these are started once and stopped once.

    In several processes a module stays together, so there the modules with such tests come last.
    """
    if config.getoption("--broker") == "redis":
        items[:] = [item for item in items if item.get_closest_marker("elsewhere") is None]
    working = {_place(config, item) for item in items if "workers" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: _place(config, item) in working)


def _place(config: pytest.Config, item: pytest.Item) -> str:
    return str(item.path) if hasattr(config, "workerinput") else item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the workers wrote."""
    report = yield
    if report.failed and "workers" in getattr(item, "fixturenames", ()) and _WORKERS in item.config.stash:
        report.sections.append(("workers", item.config.stash[_WORKERS].logs[-20_000:]))
    return report
