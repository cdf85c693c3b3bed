"""The health of agents over HTTP, as it was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Timestamp


class AgentHealthRow(Base):
    """The last checks of one version, newest last; `failures` counts those in a row that brought no answer."""

    __tablename__ = "agent_health"

    agent_version_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("agent_versions.agent_version_id", ondelete="CASCADE"), primary_key=True
    )
    tenant_id: Mapped[str] = mapped_column(Text)
    ready: Mapped[bool | None]
    error: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    history: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    checked_at: Mapped[datetime | None] = mapped_column(Timestamp)
    next_check_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now(), index=True)
