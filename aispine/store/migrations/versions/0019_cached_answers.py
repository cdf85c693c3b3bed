"""Answers of agents that are kept for a while.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cached_answers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("output", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_cached_answers"),
    )
    op.create_index("ix_cached_answers_execution_id", "cached_answers", ["execution_id"])
    op.create_index("ix_cached_answers_expires_at", "cached_answers", ["expires_at"])
    isolate(op.get_bind(), "cached_answers", context.config.attributes["logins"])


def downgrade() -> None:
    op.drop_table("cached_answers")
