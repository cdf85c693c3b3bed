"""Tenants, their keys, and the answers kept for requests that are repeated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Json, Timestamp


class Tenant(Base):
    __tablename__ = "tenants"
    __table_args__ = (CheckConstraint("tenant_id <> ''", name="tenant_id"),)

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.plan_id"), server_default="free")
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ApiKey(Base):
    """Only the SHA-256 of a key is kept; `prefix` is what a person recognises it by."""

    __tablename__ = "api_keys"

    api_key_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """What it may do beyond what every key may."""


class IdempotencyKeyRow(Base):
    """The first answer to a request that starts something; `status` is null while it is in flight."""

    __tablename__ = "idempotency_keys"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    method: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[Any] = mapped_column(Json, nullable=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), index=True)
