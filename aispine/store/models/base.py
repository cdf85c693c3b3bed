"""What all tables share."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, DateTime, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase

PLATFORM: Final = "platform"
"""The tenant that owns what every tenant may read and none may write: the official agents."""

SHARED: Final = frozenset({"agents", "agent_versions"})
"""Tables whose platform rows every tenant may read."""
PLATFORM_ONLY: Final = frozenset({"workers", "counters", "plans"})
"""Tables that hold nothing of any tenant, and that every tenant may read."""

SEALED: Final[dict[str, bool]] = {"sealed": True}
"""Marks a column that holds texts encrypted by `aispine.secrets.sealing`, so that rotating the keys finds them."""

Json = JSON(none_as_null=True)
Id = Uuid(as_uuid=False)
Timestamp = DateTime(timezone=True)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
