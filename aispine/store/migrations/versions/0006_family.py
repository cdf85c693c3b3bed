"""The topmost execution above a child, so that the size of a family can be bounded.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("executions", sa.Column("root_execution_id", sa.Uuid(as_uuid=False), nullable=True))
    op.create_index(
        "ix_executions_root",
        "executions",
        ["root_execution_id"],
        postgresql_where=sa.text("root_execution_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_executions_root", table_name="executions")
    op.drop_column("executions", "root_execution_id")
