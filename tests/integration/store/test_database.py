"""Two ways over one pool: sessions, which are transactions, and links, on which each call is one."""

from __future__ import annotations

import contextlib

from sqlalchemy import text

from aispine.store.database import Store
from tests.support.environment import Servers


def test_a_session_is_one_transaction_and_leaves_none_behind(servers: Servers, tenant: str) -> None:
    store = Store(servers.engine_url, pool_size=1)
    rename = text("UPDATE tenants SET name = :name WHERE tenant_id = :tenant_id")
    name = text("SELECT name FROM tenants WHERE tenant_id = :tenant_id")
    with store.session(None) as session:
        session.execute(rename, {"name": "first", "tenant_id": tenant})
        session.commit()
        # The second transaction of the same session is one, too.
        session.execute(rename, {"name": "second", "tenant_id": tenant})
        assert session.connection().connection.dbapi_connection.autocommit is False
    with contextlib.suppress(ZeroDivisionError), store.session(None) as session:
        session.execute(rename, {"name": "never", "tenant_id": tenant})
        raise ZeroDivisionError
    with store.session(None) as session:
        with contextlib.suppress(ZeroDivisionError), session.begin_nested():
            session.execute(rename, {"name": "nor this", "tenant_id": tenant})
            raise ZeroDivisionError
        assert session.scalar(name, {"tenant_id": tenant}) == "second"
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"
    with store.autocommit() as link:
        link.execute("UPDATE tenants SET name = 'third' WHERE tenant_id = %s", (tenant,))
        assert link.execute("SELECT pg_current_xact_id_if_assigned() IS NULL AS none")[0].none
        other = Store(servers.engine_url, pool_size=1)
        with other.session(None) as session:
            assert session.scalar(name, {"tenant_id": tenant}) == "third"
        other.dispose()
    store.dispose()
