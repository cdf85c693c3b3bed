"""Messaging channels, contacts, what came in and what goes out, conversations.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate, quote

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ("channels", "contacts", "channel_messages", "outbox", "conversations")


def upgrade() -> None:
    _create_channels()
    _create_contacts()
    _create_messages()
    _create_outbox()
    _create_conversations()
    logins = context.config.attributes["logins"]
    for table in _TABLES:
        isolate(op.get_bind(), table, logins)
    # A webhook names its channel before anything else is known; its id finds that one row.
    known = "channel_id::text = current_setting('aispine.channel_id', true)"
    web = quote(op.get_bind(), logins.web)
    op.execute(f"CREATE POLICY webhook ON channels FOR SELECT TO {web} USING ({known})")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _id(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(as_uuid=False), **{"nullable": False, **options})


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=nullable)


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _attempts() -> sa.Column[Any]:
    return sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False)


def _seq() -> sa.Column[Any]:
    return sa.Column("seq", sa.BigInteger(), sa.Identity(), nullable=False)


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.{column}"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _create_channels() -> None:
    op.create_table(
        "channels",
        _id("channel_id"),
        _text("tenant_id"),
        _text("kind"),
        _text("name"),
        _text("address"),
        _text("flow_id", nullable=True),
        _json("staff"),
        _text("credentials"),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("channel_id", name="pk_channels"),
        sa.UniqueConstraint("tenant_id", "kind", "address", name="uq_channels_tenant_id_kind_address"),
    )
    op.create_index("ix_channels_list", "channels", ["tenant_id", "channel_id"])


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        _id("contact_id"),
        _text("tenant_id"),
        _id("channel_id"),
        _text("user_id"),
        _text("name", nullable=True),
        _id("fallback_contact_id", nullable=True),
        _moment("wrote_at"),
        _text("reading_owner", nullable=True),
        _moment("reading_until"),
        _text("sending_owner", nullable=True),
        _moment("sending_until"),
        _now("created_at"),
        _belongs("contacts", "channel_id", "channels"),
        sa.ForeignKeyConstraint(
            ["fallback_contact_id"],
            ["contacts.contact_id"],
            name="fk_contacts_fallback_contact_id",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("contact_id", name="pk_contacts"),
        sa.UniqueConstraint("channel_id", "user_id", name="uq_contacts_channel_id_user_id"),
    )


def _create_messages() -> None:
    op.create_table(
        "channel_messages",
        _seq(),
        _text("tenant_id"),
        _id("channel_id"),
        _id("contact_id"),
        _text("message_id"),
        _text("kind"),
        _text("status"),
        _json("body"),
        _json("file", nullable=True),
        _json("error", nullable=True),
        _attempts(),
        _id("execution_id", nullable=True),
        _text("used_by", nullable=True),
        _now("received_at"),
        _moment("due_at"),
        _belongs("channel_messages", "channel_id", "channels"),
        _belongs("channel_messages", "contact_id", "contacts"),
        sa.PrimaryKeyConstraint("seq", name="pk_channel_messages"),
        sa.UniqueConstraint(
            "channel_id", "message_id", "kind", "status", name="uq_channel_messages_channel_id_message_id_kind_status"
        ),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_channel_messages_due", "channel_messages", ["due_at"], postgresql_where=due)
    op.create_index("ix_channel_messages_contact", "channel_messages", ["contact_id", "seq"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        _id("outbox_id"),
        _seq(),
        _text("tenant_id"),
        _id("channel_id"),
        _id("contact_id"),
        _text("idempotency_key"),
        _json("message"),
        _text("status"),
        _attempts(),
        _text("outside_id", nullable=True),
        _json("error", nullable=True),
        _id("fallback_of", nullable=True),
        _id("execution_id", nullable=True),
        _text("path", nullable=True),
        _moment("due_at"),
        _now("created_at"),
        _now("updated_at"),
        _belongs("outbox", "channel_id", "channels"),
        _belongs("outbox", "contact_id", "contacts"),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_outbox"),
        sa.UniqueConstraint("tenant_id", "idempotency_key", name="uq_outbox_tenant_id_idempotency_key"),
    )
    op.create_index("ix_outbox_due", "outbox", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_outbox_contact", "outbox", ["contact_id", "seq"])
    op.create_index(
        "ix_outbox_outside",
        "outbox",
        ["channel_id", "outside_id"],
        postgresql_where=sa.text("outside_id IS NOT NULL"),
    )


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        _id("conversation_id"),
        _text("tenant_id"),
        _id("channel_id"),
        _id("contact_id"),
        _text("flow_id"),
        _id("execution_id"),
        _now("created_at"),
        _moment("ended_at"),
        _belongs("conversations", "channel_id", "channels"),
        _belongs("conversations", "contact_id", "contacts"),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_conversations"),
    )
    op.create_index(
        "uq_conversations_open",
        "conversations",
        ["contact_id", "flow_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_conversations_execution", "conversations", ["execution_id"])
