from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from aispine.store import api_keys
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import Plan, Tenant


def test_a_plan_with_a_limit_is_told_and_kept(client_of: Callable[[str], FlaskClient], engine_store: Store) -> None:
    tenant_id = f"t-{new_id()}"
    with engine_store.session(None) as session:
        session.add(Plan(plan_id=tenant_id, name="Tiny", calls_per_minute=3))
        session.flush()
        session.add(Tenant(tenant_id=tenant_id, name="small", plan_id=tenant_id))
        session.flush()
        client = client_of(api_keys.create(session, tenant_id, name="small"))
    first = client.get("/api/v1/flows")
    assert (first.status_code, first.headers["RateLimit-Policy"]) == (200, '"default";q=3;w=60')
    assert first.headers["RateLimit"].startswith('"default";r=2;t=')
    answers = [client.get("/api/v1/flows") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json is not None
    assert answers[2].json["code"] == "rate_limited"
    assert 10 <= int(answers[2].headers["Retry-After"]) <= 20


def test_a_plan_without_a_limit_says_nothing(client: FlaskClient) -> None:
    assert "RateLimit" not in client.get("/api/v1/flows").headers
