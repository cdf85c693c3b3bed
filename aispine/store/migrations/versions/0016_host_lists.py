"""The lists of hosts that tenants may and may not call.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import ARRAY

from aispine.store.isolation import isolate

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host_lists",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("allow", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("deny", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_host_lists"),
    )
    isolate(op.get_bind(), "host_lists", context.config.attributes["logins"])


def downgrade() -> None:
    op.drop_table("host_lists")
