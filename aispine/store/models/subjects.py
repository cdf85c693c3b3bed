"""Records of what was erased of people, which name none of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Json, Timestamp


class ErasureRow(Base):
    """That a person was erased. `fingerprints` tell who to somebody who knows whom to look for."""

    __tablename__ = "erasures"
    __table_args__ = (
        Index("ix_erasures_fingerprints", "fingerprints", postgresql_using="gin"),
        Index("ix_erasures_list", "tenant_id", "erasure_id"),
    )

    erasure_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    fingerprints: Mapped[list[str]] = mapped_column(ARRAY(Text))
    erased_by: Mapped[str] = mapped_column(Text)
    counts: Mapped[Any] = mapped_column(Json)
    erased_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.clock_timestamp())
