"""How quick agents really are: what an agent says of itself is believed until it is measured."""

from __future__ import annotations

from typing import Final

SLOW: Final = 0.02
"""Seconds a call on average above which an agent shares no lane; what it may declare quick takes under 5 ms."""
_WEIGHT: Final = 0.2


class Pace:
    """A moving average of the calls of each agent in this process."""

    def __init__(self) -> None:
        self._average: dict[str, float] = {}
        self.slow: set[str] = set()

    def record(self, agent: str, seconds: float) -> None:
        average = self._average.get(agent, 0.0)
        self._average[agent] = average = average + _WEIGHT * (seconds - average)
        if average > SLOW:
            self.slow.add(agent)
        else:
            self.slow.discard(agent)
