"""Runs migrations on the connection that `aispine.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from aispine.store.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
