"""Isolation of tenants in the database itself: the policies that every table gets when it is made."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import URL, Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class Logins:
    """The two roles; their names carry the database's, since roles belong to the whole server."""

    web: str
    engine: str

    @classmethod
    def of(cls, url: URL) -> Logins:
        return cls(web=f"{url.database}_web", engine=f"{url.database}_engine")


def isolate(connection: Connection, table: str, logins: Logins) -> None:
    """Lets the web login see the rows of its tenant alone, and none while no tenant is set."""
    web, engine = quote(connection, logins.web), quote(connection, logins.engine)
    own = "tenant_id = current_setting('aispine.tenant_id', true)"
    connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {web}, {engine}")
    connection.exec_driver_sql(f"CREATE POLICY tenant ON {table} TO {web} USING ({own}) WITH CHECK ({own})")
    connection.exec_driver_sql(f"CREATE POLICY engine ON {table} TO {engine} USING (true) WITH CHECK (true)")


def quote(connection: Connection, role: str) -> str:
    return connection.dialect.identifier_preparer.quote(role)
