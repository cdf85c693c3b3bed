"""A PostgreSQL that says its disk is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

_FILL = """
CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON executions
FOR EACH ROW WHEN (NEW.tenant_id = '{tenant_id}') EXECUTE FUNCTION disk_full();
"""


@contextmanager
def full_disk(owner_url: str, tenant_id: str) -> Iterator[Callable[[], None]]:
    """Stores nothing more of a tenant's executions until what is yielded is called, or the block is left."""
    owner = create_engine(owner_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def free() -> None:
        with owner.connect() as connection:
            connection.execute(text("DROP FUNCTION IF EXISTS disk_full CASCADE"))

    with owner.connect() as connection:
        connection.execute(text(_FILL.format(tenant_id=tenant_id)))
    try:
        yield free
    finally:
        free()
