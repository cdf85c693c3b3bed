"""Answers of agents that are kept for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Json, Timestamp


class CachedAnswerRow(Base):
    """`key` is a keyed hash of what was asked; the row goes with the execution that the answer comes from."""

    __tablename__ = "cached_answers"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    execution_id: Mapped[str] = mapped_column(Id, index=True)
    output: Mapped[Any] = mapped_column(Json, nullable=True)
    message: Mapped[str | None] = mapped_column(Text)
    metadata_: Mapped[Any] = mapped_column("metadata", Json)
    expires_at: Mapped[datetime] = mapped_column(Timestamp, index=True)
