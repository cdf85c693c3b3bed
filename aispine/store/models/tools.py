"""Tools."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import SEALED, Base, Json, Timestamp


class ToolRow(Base):
    """`definition` is what the registration says but for what is secret; `credential` is that, encrypted."""

    __tablename__ = "tools"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    tool_id: Mapped[str] = mapped_column(Text, primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(Json)
    credential: Mapped[str | None] = mapped_column(Text, info=SEALED)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
