"""Workers, and the figures about the whole platform."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Double, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import PLATFORM, Base, Timestamp


class WorkerRow(Base):
    """A worker, or beat, that says every few seconds that it lives.

    `processes` are the pids that run its nodes, as the owners of leases name them; `consuming` is false once it takes
    no more messages.
    """

    __tablename__ = "workers"

    worker_id: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, server_default=PLATFORM)
    name: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int] = mapped_column(Integer)
    pool: Mapped[str] = mapped_column(Text)
    queues: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    slots: Mapped[int] = mapped_column(Integer, server_default="0")
    busy: Mapped[int] = mapped_column(Integer, server_default="0")
    processes: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    consuming: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Timestamp)
    heartbeat_at: Mapped[datetime] = mapped_column(Timestamp)
    drain_requested_at: Mapped[datetime | None] = mapped_column(Timestamp)


class CounterRow(Base):
    """A figure about the whole platform, as `/metrics` shows it; `labels` as they stand there."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    labels: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, server_default=PLATFORM)
    value: Mapped[float] = mapped_column(Double)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)
