"""The API as the services behind channels and the guests reach it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from aispine import settings
from aispine.store import api_keys
from aispine.store.database import Store
from api.app import create_app
from tests.support.environment import ROOT, Servers


@pytest.fixture
def client(settings_env: Servers, engine_store: Store, tenant: str) -> Iterator[FlaskClient]:
    """Carries a key that may see what is sensitive when it asks to."""
    with engine_store.session(None) as session:
        key = api_keys.create(session, tenant, name="reception", permissions=[api_keys.SENSITIVE])
    app = create_app(settings.current())
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    yield client
    app.extensions["aispine"].store.dispose()


@pytest.fixture
def kyc(client: FlaskClient) -> str:
    source = (ROOT / "flows" / "kyc_onboarding.yaml").read_text("utf-8")
    answer = client.post("/api/v1/flows", data=source, content_type="application/yaml")
    assert answer.status_code == 201, answer.text
    return "kyc_onboarding"
