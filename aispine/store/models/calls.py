"""Calls of agents, tools and models, as they are audited."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Timestamp


class CallRow(Base):
    """One call that was made or refused: no value that went in or came out, only how large they were."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_execution", "execution_id"),
        # Rows come in the order of their time, so that the oldest stand together.
        Index("ix_calls_begun_at", "begun_at", postgresql_using="brin"),
    )

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    call_id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    callee: Mapped[str] = mapped_column(Text)
    version: Mapped[str | None] = mapped_column(Text)
    host: Mapped[str | None] = mapped_column(Text)
    caller: Mapped[str] = mapped_column(Text)
    execution_id: Mapped[str | None] = mapped_column(Id)
    path: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int | None] = mapped_column(SmallInteger)
    begun_at: Mapped[datetime] = mapped_column(Timestamp)
    seconds: Mapped[float]
    outcome: Mapped[str] = mapped_column(Text)
    cached: Mapped[bool]
    input_bytes: Mapped[int] = mapped_column(BigInteger)
    output_bytes: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int | None] = mapped_column(BigInteger)
    cost_usd: Mapped[float | None]
