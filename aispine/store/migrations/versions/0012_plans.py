"""Plans, and which one a tenant is on.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate, quote
from aispine.store.models import PLATFORM

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    plans = op.create_table(
        "plans",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), server_default=PLATFORM, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("calls_per_minute", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plans"),
    )
    op.bulk_insert(
        plans,
        [
            {"plan_id": "free", "name": "Free", "calls_per_minute": 100},
            {"plan_id": "startup", "name": "Startup", "calls_per_minute": 1000},
            {"plan_id": "scale", "name": "Scale", "calls_per_minute": None},
        ],
    )
    logins = context.config.attributes["logins"]
    web = quote(op.get_bind(), logins.web)
    isolate(op.get_bind(), "plans", logins)
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON plans FROM {web}")
    op.execute(f"CREATE POLICY platform ON plans FOR SELECT TO {web} USING (tenant_id = '{PLATFORM}')")
    # Whoever was there before had no limit.
    op.add_column("tenants", sa.Column("plan_id", sa.Text(), server_default="scale", nullable=False))
    op.alter_column("tenants", "plan_id", server_default="free")
    op.create_foreign_key("fk_tenants_plan_id_plans", "tenants", "plans", ["plan_id"], ["plan_id"])


def downgrade() -> None:
    op.drop_column("tenants", "plan_id")
    op.drop_table("plans")
