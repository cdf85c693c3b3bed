"""Plans: what the platform lets a tenant do in a minute."""

from __future__ import annotations

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import PLATFORM, Base


class Plan(Base):
    """`calls_per_minute` null is no limit; requests to the API have the same one of their own."""

    __tablename__ = "plans"

    plan_id: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, server_default=PLATFORM)
    name: Mapped[str] = mapped_column(Text)
    calls_per_minute: Mapped[int | None] = mapped_column(Integer)
