"""The API as the services behind channels and the guests reach it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from aispine import settings
from api.app import create_app
from tests.support.environment import ROOT, Servers


@pytest.fixture
def client(settings_env: Servers, api_key: str) -> Iterator[FlaskClient]:
    app = create_app(settings.current())
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {api_key}"
    yield client
    app.extensions["aispine"].store.dispose()


@pytest.fixture
def kyc(client: FlaskClient) -> str:
    source = (ROOT / "flows" / "kyc_onboarding.yaml").read_text("utf-8")
    answer = client.post("/api/v1/flows", data=source, content_type="application/yaml")
    assert answer.status_code == 201, answer.text
    return "kyc_onboarding"
