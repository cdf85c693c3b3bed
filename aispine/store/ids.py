"""Identifiers that sort by time: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import secrets
import time
import uuid


def new_id() -> str:
    """A UUID version 7 as text: 48 bits of milliseconds, then 74 random bits."""
    return id_at(time.time())


def id_at(seconds: float) -> str:
    """The same for a moment in seconds since 1970."""
    milliseconds = int(seconds * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """True when `text` is written as a UUID, so that PostgreSQL takes it."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
