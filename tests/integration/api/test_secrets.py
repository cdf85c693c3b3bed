"""Secrets over REST, and sealing them anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from sqlalchemy import select

from aispine import secrets, settings
from aispine.errors import ExpressionError
from aispine.store.database import Store
from aispine.store.models import SecretRow

SECRETS = "/api/v1/secrets"


def test_a_secret_is_put_listed_and_deleted_and_never_shown(
    client: FlaskClient, stranger: FlaskClient, engine_store: Store, tenant: str
) -> None:
    for value in ("first-one", "second-one"):
        answer = client.put(f"{SECRETS}/bank_key", json={"value": value})
        assert answer.status_code == 200, answer.text
        assert "one" not in answer.text
    listed = client.get(SECRETS)
    assert [each["name"] for each in listed.json["data"]] == ["bank_key"]
    assert "one" not in listed.text
    with engine_store.session(None) as session:
        row = session.scalars(select(SecretRow).filter_by(tenant_id=tenant)).one()
    assert "second-one" not in row.ciphertext
    assert secrets.open_for(engine_store, tenant, ["bank_key"], settings.current()).values == {"bank_key": "second-one"}
    assert stranger.get(SECRETS).json["data"] == []
    assert stranger.delete(f"{SECRETS}/bank_key").status_code == 404
    assert client.delete(f"{SECRETS}/bank_key").status_code == 204
    assert client.delete(f"{SECRETS}/bank_key").status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("1st", {"value": "long enough"}, "name"),
        ("a b", {"value": "long enough"}, "name"),
        ("key", {"value": "short"}, "value"),
        ("key", {"value": 123456789}, "value"),
        ("key", {}, "value"),
        ("key", {"value": "long enough", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_a_secret_is_refused_by_name(client: FlaskClient, name: str, body: object, field: str) -> None:
    answer = client.put(f"{SECRETS}/{name}", json=body)
    assert (answer.status_code, answer.json["field"]) == (422, field), answer.text


def test_after_a_rotation_the_old_key_can_go(client: FlaskClient, engine_store: Store, tenant: str) -> None:
    client.put(f"{SECRETS}/bank_key", json={"value": "kept over it"})
    current = settings.current()
    new = Fernet.generate_key().decode()
    both = replace(current, encryption_keys=f"{new},{current.encryption_keys}")
    assert secrets.rotate(engine_store, both).count >= 1
    assert secrets.rotate(engine_store, both).count == 0
    alone = replace(current, encryption_keys=new)
    assert secrets.open_for(engine_store, tenant, ["bank_key"], alone).values == {"bank_key": "kept over it"}
    with pytest.raises(ExpressionError, match="cannot be opened"):
        secrets.open_for(engine_store, tenant, ["bank_key"], current)
    # Back again, since the other tests' secrets are under the keys of the session.
    lost = secrets.rotate(engine_store, replace(current, encryption_keys=f"{current.encryption_keys},{new}"))
    assert lost.unreadable == ()
