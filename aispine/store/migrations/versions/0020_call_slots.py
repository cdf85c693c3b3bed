"""Call slots of agents that take so many calls at once.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_slots",
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("ticket", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("max_concurrency", sa.Integer(), nullable=False),
        sa.Column("limits", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("execution_id", "path", "attempt", name="pk_call_slots"),
    )
    _index("line", ["tenant_id", "agent_id", "ticket"], "granted_at IS NULL")
    _index("granted", ["tenant_id", "agent_id"], "granted_at IS NOT NULL")
    _index("owner", ["lease_owner"], "lease_owner IS NOT NULL")
    isolate(op.get_bind(), "call_slots", context.config.attributes["logins"])


def downgrade() -> None:
    op.drop_table("call_slots")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(f"ix_call_slots_{name}", "call_slots", columns, postgresql_where=sa.text(where))
