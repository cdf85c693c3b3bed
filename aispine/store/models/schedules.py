"""Schedules and the times that were carried out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Double, ForeignKey, ForeignKeyConstraint, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Json, Timestamp


class ScheduleRow(Base):
    """When a flow starts by itself; `origin` is `flow` for what its file says, `api` for what somebody added.

    `every` counts from `anchor_at`. `next_due_at` is null while it is paused, and when no time comes any more.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "flow_id"], ["flows.tenant_id", "flows.flow_id"]),
        CheckConstraint("(cron IS NULL) <> (every IS NULL)", name="one_kind"),
        Index("ix_schedules_list", "tenant_id", "schedule_id"),
        Index("ix_schedules_due", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
        Index("uq_schedules_file", "tenant_id", "flow_id", unique=True, postgresql_where=text("origin = 'flow'")),
    )

    schedule_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    flow_id: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    cron: Mapped[str | None] = mapped_column(Text)
    every: Mapped[float | None] = mapped_column(Double)
    timezone: Mapped[str] = mapped_column(Text)
    input: Mapped[Any] = mapped_column(Json)
    anchor_at: Mapped[datetime] = mapped_column(Timestamp)
    next_due_at: Mapped[datetime | None] = mapped_column(Timestamp)
    paused_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class ScheduleFiringRow(Base):
    """One time of a schedule that was carried out, with the execution that it started or the error that kept it."""

    __tablename__ = "schedule_firings"
    __table_args__ = (Index("ix_schedule_firings_fired", "fired_at"),)

    schedule_id: Mapped[str] = mapped_column(ForeignKey("schedules.schedule_id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Timestamp, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    execution_id: Mapped[str | None] = mapped_column(Id)
    error: Mapped[Any] = mapped_column(Json, nullable=True)
    fired_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.clock_timestamp())
