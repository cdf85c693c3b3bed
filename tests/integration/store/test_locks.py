"""Whoever waits too long for what another one changes is told so."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from aispine import settings
from aispine.errors import StoreUnavailable, Unavailable
from aispine.store.database import Store
from api.parts import Parts

LOCK = text("SELECT 1 FROM tenants WHERE tenant_id = :tenant_id FOR UPDATE")


def _lock(store: Store, tenant: str) -> None:
    with store.session(None) as session:
        session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        session.execute(LOCK, {"tenant_id": tenant})


def test_a_wait_for_a_lock_ends_with_a_clear_error(engine_store: Store, tenant: str) -> None:
    with engine_store.session(None) as holder:
        holder.execute(LOCK, {"tenant_id": tenant})
        with pytest.raises(Unavailable, match="Somebody else") as found:
            _lock(engine_store, tenant)
    assert not isinstance(found.value, StoreUnavailable)
    assert found.value.hint == "Try again in a moment."


def test_requests_wait_for_a_lock_for_a_bounded_time(tenant: str) -> None:
    store = Parts(settings.current()).store
    with store.session(tenant) as session:
        assert session.scalar(text("SHOW lock_timeout")) == "10s"
    store.dispose()
