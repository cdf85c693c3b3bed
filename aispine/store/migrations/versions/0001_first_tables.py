"""The first tables, and who may see which of their rows.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from aispine.store.isolation import isolate, quote
from aispine.store.models import PLATFORM

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "tenants",
    "api_keys",
    "flows",
    "flow_versions",
    "agents",
    "agent_versions",
    "executions",
    "node_executions",
    "events",
    "node_logs",
    "idempotency_keys",
)
SHARED_TABLES = ("agents", "agent_versions")


def upgrade() -> None:
    _create_tables()
    logins = context.config.attributes["logins"]
    for table in TENANT_TABLES:
        isolate(op.get_bind(), table, logins)
    web = quote(op.get_bind(), logins.web)
    op.execute(f"REVOKE UPDATE, DELETE, INSERT ON tenants FROM {web}")
    for table in SHARED_TABLES:
        op.execute(f"CREATE POLICY platform ON {table} FOR SELECT TO {web} USING (tenant_id = '{PLATFORM}')")
    known = "key_hash = current_setting('aispine.key_hash', true)"
    op.execute(f"CREATE POLICY authentication ON api_keys FOR SELECT TO {web} USING ({known})")


def downgrade() -> None:
    for table in reversed(TENANT_TABLES):
        op.drop_table(table)


def _create_tables() -> None:
    op.create_table(
        "events",
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "seq", name=("pk_events")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "method", "path", "key", name=("pk_idempotency_keys")),
    )
    op.create_index(("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "node_executions",
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("attempt", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("lost_attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("unsettled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("live_control", sa.Integer(), server_default="0", nullable=False),
        sa.Column("live_dependency", sa.Integer(), server_default="0", nullable=False),
        sa.Column("blocked", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("output", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("execution_id", "path", name=("pk_node_executions")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_node_executions_due",
        "node_executions",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "node_logs",
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "path", "attempt", name=("pk_node_logs")),
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("tenant_id <> ''", name=("ck_tenants_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=("pk_tenants")),
    )
    op.create_table(
        "agents",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name=("fk_agents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "agent_id", name=("pk_agents")),
    )
    op.create_table(
        "api_keys",
        sa.Column("api_key_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name=("fk_api_keys_tenant_id")),
        sa.PrimaryKeyConstraint("api_key_id", name=("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=("uq_api_keys_key_hash")),
    )
    op.create_index(("ix_api_keys_tenant_id"), "api_keys", ["tenant_id"], unique=False)
    op.create_table(
        "executions",
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("flow_version_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("input", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("context", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("output", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("agents", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("event_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open_nodes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name=("fk_executions_tenant_id")),
        sa.PrimaryKeyConstraint("execution_id", name=("pk_executions")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_executions_correlation",
        "executions",
        ["tenant_id", "correlation_id"],
        unique=False,
        postgresql_where=sa.text("correlation_id IS NOT NULL"),
    )
    op.create_index(
        "ix_executions_due", "executions", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "ix_executions_flow", "executions", ["tenant_id", "flow_id", sa.literal_column("created_at DESC")], unique=False
    )
    op.create_index(
        "ix_executions_labels",
        "executions",
        ["labels"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("labels <> '{}'"),
    )
    op.create_index(
        "ix_executions_list",
        "executions",
        ["tenant_id", sa.literal_column("created_at DESC"), sa.literal_column("execution_id DESC")],
        unique=False,
    )
    op.create_table(
        "flows",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=False),
        sa.Column("lookup_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name=("fk_flows_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "flow_id", name=("pk_flows")),
        sa.UniqueConstraint("tenant_id", "lookup_id", name=("uq_flows_tenant_id_lookup_id")),
    )
    op.create_table(
        "agent_versions",
        sa.Column("agent_version_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("capabilities", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("definition", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agent_id"],
            ["agents.tenant_id", "agents.agent_id"],
            name=("fk_agent_versions_tenant_id_agent_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("agent_version_id", name=("pk_agent_versions")),
        sa.UniqueConstraint("tenant_id", "agent_id", "version", name=("uq_agent_versions_tenant_id_agent_id_version")),
    )
    op.create_table(
        "flow_versions",
        sa.Column("flow_version_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "flow_id"], ["flows.tenant_id", "flows.flow_id"], name=("fk_flow_versions_tenant_id_flow_id")
        ),
        sa.PrimaryKeyConstraint("flow_version_id", name=("pk_flow_versions")),
        sa.UniqueConstraint("tenant_id", "flow_id", "version", name=("uq_flow_versions_tenant_id_flow_id_version")),
    )
