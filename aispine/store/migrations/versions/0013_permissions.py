"""What a key may do beyond what every key may.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("permissions", ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.execute("UPDATE api_keys SET permissions = '{sensitive:read}' WHERE name = 'first'")


def downgrade() -> None:
    op.drop_column("api_keys", "permissions")
