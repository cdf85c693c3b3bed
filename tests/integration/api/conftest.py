"""An application on the session's servers, and clients of it that carry a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from aispine import settings
from aispine.store import api_keys
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import Tenant
from api.app import create_app
from tests.support.environment import Servers

ECHO = """
flow_id: echo-flow
version: 1.0.0
name: Echo
input_schema: {type: object, properties: {amount: {type: number}}}
nodes:
  - {id: receive, type: input}
  - {id: say, type: processor, agent_id: echo@^1, depends_on: [receive]}
  - {id: done, type: output, depends_on: [say]}
"""


@pytest.fixture
def app(no_workers: None, settings_env: Servers) -> Iterator[Flask]:
    made = create_app(settings.current())
    yield made
    made.extensions["aispine"].store.dispose()


@pytest.fixture
def client_of(app: Flask) -> Callable[[str], FlaskClient]:
    """Makes a client that carries a key."""

    def make(key: str) -> FlaskClient:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return client

    return make


@pytest.fixture
def client(client_of: Callable[[str], FlaskClient], api_key: str) -> FlaskClient:
    return client_of(api_key)


@pytest.fixture
def stranger(client_of: Callable[[str], FlaskClient], engine_store: Store) -> FlaskClient:
    """A client of another tenant."""
    with engine_store.session(None) as session:
        tenant_id = f"t-{new_id()}"
        session.add(Tenant(tenant_id=tenant_id, name="another one", plan_id="scale"))
        session.flush()
        key = api_keys.create(session, tenant_id, name="stranger")
    return client_of(key)


@pytest.fixture
def echo(client: FlaskClient) -> str:
    """The id of a deployed flow that calls one agent."""
    answer = client.post("/api/v1/flows", data=ECHO, content_type="application/yaml")
    assert answer.status_code == 201, answer.text
    return "echo-flow"


@pytest.fixture
def execution(client: FlaskClient, echo: str) -> str:
    """The id of a queued execution of it."""
    answer = client.post("/api/v1/flows/execute", json={"flow_id": echo, "input_data": {"amount": 3}})
    assert answer.status_code == 202, answer.text
    assert answer.json is not None
    return str(answer.json["execution_id"])
