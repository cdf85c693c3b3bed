"""Workers that say they live, counters, and finding the executions that are open.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from aispine.store.isolation import isolate, quote
from aispine.store.models import PLATFORM

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_workers()
    _create_counters()
    logins = context.config.attributes["logins"]
    web = quote(op.get_bind(), logins.web)
    for table in ("workers", "counters"):
        isolate(op.get_bind(), table, logins)
        op.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {web}")
        op.execute(f"CREATE POLICY platform ON {table} FOR SELECT TO {web} USING (tenant_id = '{PLATFORM}')")
    # The web process counts too, and what it counts belongs to no tenant.
    op.execute(f"GRANT INSERT, UPDATE ON counters TO {web}")
    op.execute(f"CREATE POLICY counting ON counters TO {web} USING (true) WITH CHECK (tenant_id = '{PLATFORM}')")
    op.create_index(
        "ix_executions_open",
        "executions",
        ["status"],
        postgresql_where=sa.text("status NOT IN ('completed', 'failed', 'cancelled', 'timed_out')"),
    )


def downgrade() -> None:
    op.drop_index("ix_executions_open", table_name="executions")
    op.drop_table("counters")
    op.drop_table("workers")


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), server_default=PLATFORM, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("queues", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("slots", sa.Integer(), server_default="0", nullable=False),
        sa.Column("busy", sa.Integer(), server_default="0", nullable=False),
        sa.Column("processes", postgresql.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.Column("consuming", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drain_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("worker_id", name="pk_workers"),
    )


def _create_counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), server_default=PLATFORM, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name="pk_counters"),
    )
