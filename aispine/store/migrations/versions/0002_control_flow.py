"""Subflows, signals, pausing and retrying.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("active_nodes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reopened", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("parent_execution_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("parent_path", sa.Text(), nullable=True),
        sa.Column("parent_attempt", sa.SmallInteger(), nullable=True),
        sa.Column("depth", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("rerun_of", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mutexes", sa.JSON(none_as_null=True), nullable=True),
    ]


def upgrade() -> None:
    for column in _columns():
        op.add_column("executions", column)
    op.create_index(
        "uq_executions_parent",
        "executions",
        ["parent_execution_id", "parent_path", "parent_attempt"],
        unique=True,
        postgresql_where=sa.text("parent_execution_id IS NOT NULL"),
    )
    _create_signals()


def downgrade() -> None:
    op.drop_table("signals")
    op.drop_index("uq_executions_parent", table_name="executions")
    for column in _columns():
        op.drop_column("executions", column.name)


def _create_signals() -> None:
    op.create_table(
        "signals",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", name="pk_signals"),
    )
    op.create_index(
        "ix_signals_kept",
        "signals",
        ["execution_id", "created_at"],
        postgresql_where=sa.text("consumed_at IS NULL"),
    )
    isolate(op.get_bind(), "signals", context.config.attributes["logins"])
