"""Schedules and what they started; finding what has ended long ago.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_schedules()
    _create_firings()
    for table in ("schedules", "schedule_firings"):
        isolate(op.get_bind(), table, context.config.attributes["logins"])
    op.add_column("executions", sa.Column("schedule_id", sa.Uuid(as_uuid=False), nullable=True))
    op.create_index(
        "ix_executions_schedule",
        "executions",
        ["schedule_id", sa.literal_column("created_at DESC")],
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )
    op.create_index(
        "ix_executions_finished",
        "executions",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND parent_execution_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_executions_finished", table_name="executions")
    op.drop_index("ix_executions_schedule", table_name="executions")
    op.drop_column("executions", "schedule_id")
    op.drop_table("schedule_firings")
    op.drop_table("schedules")


def _create_schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("schedule_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=True),
        sa.Column("every", sa.Double(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("input", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(cron IS NULL) <> (every IS NULL)", name="ck_schedules_one_kind"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "flow_id"], ["flows.tenant_id", "flows.flow_id"], name="fk_schedules_tenant_id_flow_id"
        ),
        sa.PrimaryKeyConstraint("schedule_id", name="pk_schedules"),
    )
    op.create_index("ix_schedules_list", "schedules", ["tenant_id", "schedule_id"])
    op.create_index(
        "ix_schedules_due", "schedules", ["next_due_at"], postgresql_where=sa.text("next_due_at IS NOT NULL")
    )
    op.create_index(
        "uq_schedules_file",
        "schedules",
        ["tenant_id", "flow_id"],
        unique=True,
        postgresql_where=sa.text("origin = 'flow'"),
    )


def _create_firings() -> None:
    op.create_table(
        "schedule_firings",
        sa.Column("schedule_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fired_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.schedule_id"],
            name="fk_schedule_firings_schedule_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "due_at", name="pk_schedule_firings"),
    )
    op.create_index("ix_schedule_firings_fired", "schedule_firings", ["fired_at"])
