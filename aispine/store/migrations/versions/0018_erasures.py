"""What was erased of people, files that not everybody may see, and the ways to find what belongs to an execution.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import ARRAY

from aispine.store.isolation import isolate

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_executions_rerun", "executions", "rerun_of"),
    ("ix_channel_messages_execution", "channel_messages", "execution_id"),
    ("ix_outbox_execution", "outbox", "execution_id"),
)


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("fingerprints", ARRAY(sa.Text()), nullable=False),
        sa.Column("erased_by", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_fingerprints", "erasures", ["fingerprints"], postgresql_using="gin")
    op.create_index("ix_erasures_list", "erasures", ["tenant_id", "erasure_id"])
    isolate(op.get_bind(), "erasures", context.config.attributes["logins"])
    for name, table, column in _INDEXES:
        op.create_index(name, table, [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    op.add_column("files", sa.Column("sensitive", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("files", "sensitive")
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
    op.drop_table("erasures")
