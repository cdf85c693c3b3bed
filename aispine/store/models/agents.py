"""Agents and their versions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import SEALED, Base, Json, Timestamp


class AgentRow(Base):
    __tablename__ = "agents"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class AgentVersionRow(Base):
    """`definition` is what `agent.yaml` or the registration says; `credential` is encrypted.

    `status` is one of `aispine.flow.standing`, changed by `status_by` (an `Actor`). A version that is `retired_at` is
    one whose folder holds another now: it stays for the executions that have it.
    """

    __tablename__ = "agent_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "agent_id", "version"),
        ForeignKeyConstraint(["tenant_id", "agent_id"], ["agents.tenant_id", "agents.agent_id"], ondelete="CASCADE"),
        CheckConstraint("status IN ('draft', 'pending', 'testing', 'verified', 'active', 'suspended')", name="status"),
        CheckConstraint("type IN ('official', 'verified', 'private')", name="type"),
        Index("ix_agent_versions_search", "search", postgresql_using="gin"),
        Index("ix_agent_versions_capabilities", "capabilities", postgresql_using="gin"),
    )

    agent_version_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text, server_default="private")
    status: Mapped[str] = mapped_column(Text, server_default="active")
    status_by: Mapped[str | None] = mapped_column(Text)
    status_reason: Mapped[str | None] = mapped_column(Text)
    status_at: Mapped[datetime | None] = mapped_column(Timestamp)
    deprecated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    deprecation: Mapped[str | None] = mapped_column(Text)
    retired_at: Mapped[datetime | None] = mapped_column(Timestamp)
    pool: Mapped[str] = mapped_column(Text)
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    definition: Mapped[dict[str, Any]] = mapped_column(Json)
    credential: Mapped[str | None] = mapped_column(Text, info=SEALED)
    content_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    search: Mapped[str | None] = mapped_column(TSVECTOR, deferred=True)


class AgentMetricRow(Base):
    """What a tenant's calls of a version came to on one day (UTC), by outcome: `success` or the code of a failure.

    `buckets` counts them by their seconds, as `aispine.engine.metrics.BUCKETS` bounds them.
    """

    __tablename__ = "agent_metrics"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    agent_id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True, index=True)
    outcome: Mapped[str] = mapped_column(Text, primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Double)
    slowest: Mapped[float] = mapped_column(Double)
    buckets: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
