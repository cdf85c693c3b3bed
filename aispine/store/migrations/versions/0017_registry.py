"""How versions of agents stand, what they can be searched by, and what their calls came to.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import TSVECTOR

from aispine.store.isolation import isolate, quote

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATUSES = "'draft', 'pending', 'testing', 'verified', 'active', 'suspended'"
SEARCHED = " || ".join(
    f"setweight(to_tsvector('{language}', translate(coalesce({what}, ''), '[]\",._-/', '        ')), '{weight}')"
    for language in ("simple", "english")
    for what, weight in (
        ("agent_id", "A"),
        ("definition ->> 'name'", "A"),
        ("definition ->> 'capabilities'", "B"),
        ("definition ->> 'description'", "C"),
    )
)
"""As `aispine.store.agents` fills the column from then on."""
TABLES = ("agents", "agent_versions")


def upgrade() -> None:
    _add_columns()
    op.execute("UPDATE agent_versions SET status = 'active', retired_at = now() WHERE status = 'retired'")
    op.execute(
        "UPDATE agent_versions SET type = 'official'"
        " WHERE tenant_id = 'platform' AND definition ->> 'built_in' = 'true'"
    )
    op.create_check_constraint("ck_agent_versions_status", "agent_versions", f"status IN ({STATUSES})")
    op.create_check_constraint(
        "ck_agent_versions_type", "agent_versions", "type IN ('official', 'verified', 'private')"
    )
    op.create_index("ix_agent_versions_search", "agent_versions", ["search"], postgresql_using="gin")
    op.create_index("ix_agent_versions_capabilities", "agent_versions", ["capabilities"], postgresql_using="gin")
    _create_metrics()
    logins = context.config.attributes["logins"]
    isolate(op.get_bind(), "agent_metrics", logins)
    web = quote(op.get_bind(), logins.web)
    for table in TABLES:
        governs = "current_setting('aispine.governs', true) = 'agents'"
        op.execute(f"CREATE POLICY governing ON {table} FOR SELECT TO {web} USING ({governs})")
        op.execute(f"CREATE POLICY governed ON {table} FOR UPDATE TO {web} USING ({governs}) WITH CHECK ({governs})")
    op.execute("UPDATE api_keys SET permissions = permissions || '{agents:govern}' WHERE name = 'first'")


def _add_columns() -> None:
    for column in (
        sa.Column("type", sa.Text(), server_default="private", nullable=False),
        sa.Column("status_by", sa.Text(), nullable=True),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deprecated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deprecation", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("agent_versions", column)
    op.add_column("agent_versions", sa.Column("search", TSVECTOR(), nullable=True))
    op.execute(f"UPDATE agent_versions SET search = {SEARCHED}")


def _create_metrics() -> None:
    op.create_table(
        "agent_metrics",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("slowest", sa.Double(), nullable=False),
        sa.Column("buckets", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "agent_id", "version", "day", "outcome", name="pk_agent_metrics"),
    )
    op.create_index("ix_agent_metrics_day", "agent_metrics", ["day"])


def downgrade() -> None:
    op.drop_table("agent_metrics")
    for table in TABLES:
        op.execute(f"DROP POLICY governing ON {table}")
        op.execute(f"DROP POLICY governed ON {table}")
    op.execute("UPDATE api_keys SET permissions = array_remove(permissions, 'agents:govern')")
    op.drop_index("ix_agent_versions_search", "agent_versions")
    op.drop_index("ix_agent_versions_capabilities", "agent_versions")
    op.drop_constraint("ck_agent_versions_status", "agent_versions")
    op.drop_constraint("ck_agent_versions_type", "agent_versions")
    op.execute("UPDATE agent_versions SET status = 'retired' WHERE retired_at IS NOT NULL OR status <> 'active'")
    for column in (
        "search",
        "type",
        "status_by",
        "status_reason",
        "status_at",
        "deprecated_at",
        "deprecation",
        "retired_at",
    ):
        op.drop_column("agent_versions", column)
