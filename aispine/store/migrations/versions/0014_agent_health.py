"""The health of agents over HTTP.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from aispine.store.isolation import isolate

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_health",
        sa.Column("agent_version_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("history", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("agent_version_id", name="pk_agent_health"),
        sa.ForeignKeyConstraint(
            ["agent_version_id"],
            ["agent_versions.agent_version_id"],
            name="fk_agent_health_agent_version_id_agent_versions",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_agent_health_next_check_at", "agent_health", ["next_check_at"])
    isolate(op.get_bind(), "agent_health", context.config.attributes["logins"])


def downgrade() -> None:
    op.drop_table("agent_health")
