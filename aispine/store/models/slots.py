"""The calls that an agent takes at once, and those that wait for one to end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Integer, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Json, Timestamp


class CallSlotRow(Base):
    """An attempt that stands in the line of an agent, or that has a call slot of it since `granted_at`.

    While the call runs, its process holds the slot under a lease; before and after, the node's own row tells whether
    the slot is still wanted.
    """

    __tablename__ = "call_slots"
    __table_args__ = (
        Index("ix_call_slots_line", "tenant_id", "agent_id", "ticket", postgresql_where=text("granted_at IS NULL")),
        Index("ix_call_slots_granted", "tenant_id", "agent_id", postgresql_where=text("granted_at IS NOT NULL")),
        Index("ix_call_slots_owner", "lease_owner", postgresql_where=text("lease_owner IS NOT NULL")),
    )

    execution_id: Mapped[str] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(Text)
    ticket: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order in which they came."""
    max_concurrency: Mapped[int] = mapped_column(Integer)
    limits: Mapped[Any] = mapped_column(Json)
    """The rates under which the call stands besides: `[name, count, seconds]`."""
    granted_at: Mapped[datetime | None] = mapped_column(Timestamp)
    lease_owner: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)
