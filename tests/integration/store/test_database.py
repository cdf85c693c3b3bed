"""Two ways over one pool: sessions, which are transactions, and links, on which each call is one."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import text

from aispine.errors import StoreUnavailable
from aispine.store.database import Store, link
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


def test_each_transaction_says_for_whom_it_is_with_its_first_statement(servers: Servers) -> None:
    store = Store(servers.web_url, pool_size=1)
    named = text("SELECT current_setting('aispine.tenant_id', true)")
    for tenant_id in ("first", "it's 50%", "%(name)s"):
        with store.session(tenant_id):
            pass  # What asks for nothing leaves nothing for the next.
        with store.session(tenant_id) as session:
            with contextlib.suppress(ZeroDivisionError), session.begin_nested():
                raise ZeroDivisionError
            assert session.scalar(named) == tenant_id
            session.commit()
            assert session.scalar(named) == tenant_id
            session.rollback()
            rows = session.execute(text("SELECT :a, current_setting('aispine.tenant_id')"), {"a": "50%"})
            assert rows.all() == [("50%", tenant_id)]
    with store.session(None) as session:
        assert session.scalar(named) == ""
    store.dispose()


def test_several_rows_at_once_are_one_transaction_of_the_tenant(servers: Servers, tenant: str) -> None:
    store = Store(servers.web_url, pool_size=1)
    add = text("INSERT INTO secrets (tenant_id, name, ciphertext) VALUES (:tenant_id, :name, 'x')")
    with store.session(tenant) as session:
        session.execute(add, [{"tenant_id": tenant, "name": name} for name in ("a", "b")])
    with store.session(tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM secrets")) == 2
    store.dispose()


def test_a_link_into_a_session_belongs_to_its_transaction(servers: Servers, tenant: str) -> None:
    store = Store(servers.web_url, pool_size=1)
    add = "INSERT INTO secrets (tenant_id, name, ciphertext) VALUES (%s, %s, 'x')"
    with store.session(tenant) as session:
        link(session).execute(add, (tenant, "first"))
        with contextlib.suppress(ZeroDivisionError), session.begin_nested():
            link(session).execute(add, (tenant, "never"))
            raise ZeroDivisionError
    with store.session("50%") as session:
        assert link(session).execute("SELECT name FROM secrets WHERE name LIKE '%'") == []
        assert link(session).execute("SELECT current_setting('aispine.tenant_id') AS tenant")[0].tenant == "50%"
    with store.session(tenant) as session:
        assert [row.name for row in link(session).execute("SELECT name FROM secrets")] == ["first"]
    store.dispose()


def test_a_link_whose_connection_is_cut_leaves_the_store_of_use(servers: Servers, tenant: str) -> None:
    store = Store(servers.web_url, pool_size=1)
    with pytest.raises(StoreUnavailable), store.session(tenant) as session:
        link(session).execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with store.session(tenant) as session:
        assert link(session).execute("SELECT 1 AS one")[0].one == 1
    store.dispose()
