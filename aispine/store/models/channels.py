"""Messaging channels: their settings, who writes over them, what came in and what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import SEALED, Base, Id, Json, Timestamp


class ChannelRow(Base):
    """A channel of a tenant. `address` is what the outside calls it; `credentials` are encrypted."""

    __tablename__ = "channels"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "address"),
        Index("ix_channels_list", "tenant_id", "channel_id"),
    )

    channel_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    flow_id: Mapped[str | None] = mapped_column(Text)
    staff: Mapped[Any] = mapped_column(Json)
    credentials: Mapped[str] = mapped_column(Text, info=SEALED)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ContactRow(Base):
    """A person on a channel, by the id that the channel gives. Each `until` is one worker's lease."""

    __tablename__ = "contacts"
    __table_args__ = (UniqueConstraint("channel_id", "user_id"),)

    contact_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.channel_id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    fallback_contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.contact_id", ondelete="SET NULL"))
    wrote_at: Mapped[datetime | None] = mapped_column(Timestamp)
    reading_owner: Mapped[str | None] = mapped_column(Text)
    reading_until: Mapped[datetime | None] = mapped_column(Timestamp)
    sending_owner: Mapped[str | None] = mapped_column(Text)
    sending_until: Mapped[datetime | None] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ChannelMessageRow(Base):
    """Something that came in: a message, or the status of one that went out. `due_at` is null once it was worked on."""

    __tablename__ = "channel_messages"
    __table_args__ = (
        UniqueConstraint("channel_id", "message_id", "kind", "status"),
        Index("ix_channel_messages_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_channel_messages_contact", "contact_id", "seq"),
        Index("ix_channel_messages_execution", "execution_id", postgresql_where=text("execution_id IS NOT NULL")),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.channel_id", ondelete="CASCADE"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.contact_id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    body: Mapped[Any] = mapped_column(Json)
    file: Mapped[Any] = mapped_column(Json, nullable=True)
    error: Mapped[Any] = mapped_column(Json, nullable=True)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    execution_id: Mapped[str | None] = mapped_column(Id)
    used_by: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    due_at: Mapped[datetime | None] = mapped_column(Timestamp)


class OutboxRow(Base):
    """A message that goes out, sent at least once and in the order of `seq` for each person."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("tenant_id", "idempotency_key"),
        Index("ix_outbox_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_outbox_contact", "contact_id", "seq"),
        Index("ix_outbox_execution", "execution_id", postgresql_where=text("execution_id IS NOT NULL")),
        Index("ix_outbox_outside", "channel_id", "outside_id", postgresql_where=text("outside_id IS NOT NULL")),
    )

    outbox_id: Mapped[str] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity())
    tenant_id: Mapped[str] = mapped_column(Text)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.channel_id", ondelete="CASCADE"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.contact_id", ondelete="CASCADE"))
    idempotency_key: Mapped[str] = mapped_column(Text)
    message: Mapped[Any] = mapped_column(Json)
    status: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    outside_id: Mapped[str | None] = mapped_column(Text)
    error: Mapped[Any] = mapped_column(Json, nullable=True)
    fallback_of: Mapped[str | None] = mapped_column(Id)
    execution_id: Mapped[str | None] = mapped_column(Id)
    path: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ConversationRow(Base):
    """What a person and a flow have to do with each other; one at a time that has not ended."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("uq_conversations_open", "contact_id", "flow_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_conversations_execution", "execution_id"),
    )

    conversation_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.channel_id", ondelete="CASCADE"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.contact_id", ondelete="CASCADE"))
    flow_id: Mapped[str] = mapped_column(Text)
    execution_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(Timestamp)


class QuestionRow(Base):
    """What a node waits for from a person; `form` is what is asked for, `filled` how far it was answered.

    `round` counts how often the node asked anew, `turns` the answers of this round.
    """

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("execution_id", "path"),
        Index("ix_questions_open", "execution_id", postgresql_where=text("closed_at IS NULL")),
    )

    question_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.contact_id", ondelete="CASCADE"))
    execution_id: Mapped[str] = mapped_column(Id)
    path: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    form: Mapped[Any] = mapped_column(Json)
    filled: Mapped[Any] = mapped_column(Json)
    options: Mapped[Any] = mapped_column(Json)
    round: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    turns: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    asked_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    closed_at: Mapped[datetime | None] = mapped_column(Timestamp)
