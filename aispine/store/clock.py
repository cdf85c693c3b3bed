"""The database's time without asking: every due time is its time, whatever a host's own clock says."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class DatabaseClock:
    """Keeps the last time that the database told, and counts on from there."""

    def __init__(self) -> None:
        self._told: tuple[datetime, float] = (datetime.now(UTC), time.monotonic())

    def tell(self, now: datetime) -> None:
        """Takes what the database just said."""
        self._told = (now, time.monotonic())

    def now(self) -> datetime:
        told, at = self._told
        return told + timedelta(seconds=time.monotonic() - at)
