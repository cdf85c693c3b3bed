"""Which hosts the calls of a tenant may go to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Timestamp


class HostListsRow(Base):
    """A tenant's own lists, which take away from what the deployment lets it call; empty ones take nothing."""

    __tablename__ = "host_lists"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    allow: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    deny: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
