"""Flows and their versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Identity, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Timestamp


class FlowRow(Base):
    """`lookup_id` is the flow's id with `-` as `_`, so that both spellings find it."""

    __tablename__ = "flows"
    __table_args__ = (UniqueConstraint("tenant_id", "lookup_id"),)

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    flow_id: Mapped[str] = mapped_column(Text, primary_key=True)
    lookup_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(Timestamp)


class FlowVersionRow(Base):
    """Immutable; `source` is the file as it was deployed."""

    __tablename__ = "flow_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "flow_id", "version"),
        ForeignKeyConstraint(["tenant_id", "flow_id"], ["flows.tenant_id", "flows.flow_id"]),
    )

    flow_version_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    flow_id: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
