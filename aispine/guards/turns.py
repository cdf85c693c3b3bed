"""Rates, held by all processes together: a call that is one too many gets the time of its turn, a request is refused.

Turns are handed out in the order in which they are asked for, each an interval after the one before (the generic cell
rate algorithm); a few calls may come at once after a pause. Without Redis everything passes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aispine.guards.shared import Shared

_SHARE_AT_ONCE: Final = 0.05
_LEAST_AT_ONCE: Final = 5
"""How many calls may come at once after a pause: this share of what a limit allows, and this many at least."""
_MICRO: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """`count` calls in `seconds`, of everybody who names the same key."""

    key: str
    count: int
    seconds: float

    @property
    def interval(self) -> int:
        """Microseconds between two turns."""
        return round(self.seconds * _MICRO / self.count)

    @property
    def at_once(self) -> int:
        return min(self.count, max(_LEAST_AT_ONCE, int(self.count * _SHARE_AT_ONCE)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """What is left for a request: `reset` seconds until all of it is back; `retry_after` where it is refused."""

    remaining: int
    reset: float
    retry_after: float | None = None


class Turns:
    """Hands out turns under limits."""

    def __init__(self, shared: Shared | None = None) -> None:
        self._shared = shared or Shared(None)

    def take(self, calls: Sequence[Sequence[Limit]]) -> list[float]:
        """For each call, in order, the seconds until its turn under all of its limits; zero without Redis."""
        limits = list(dict.fromkeys(limit for call in calls for limit in call))
        number = {limit: index for index, limit in enumerate(limits, 1)}
        found = self._shared.run(
            _TAKE,
            [f"aispine:turns:{limit.key}" for limit in limits],
            json.dumps([[limit.interval, limit.interval * (limit.at_once - 1)] for limit in limits]),
            json.dumps([[number[limit] for limit in call] for call in calls]),
        )
        return [0.0] * len(calls) if found is None else [delay / _MICRO for delay in found]

    def admit(self, limit: Limit) -> Quota | None:
        """Counts a request that does not wait; None while Redis does not say, and then it passes."""
        found = self._shared.run(_ADMIT, [f"aispine:quota:{limit.key}"], limit.interval, limit.count)
        if found is None:
            return None
        remaining, reset, wait = found
        return Quota(remaining=remaining, reset=reset / _MICRO, retry_after=wait / _MICRO if wait else None)


_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function keep(key, at)
  redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 60000)
end
"""
_TAKE: Final = f"""{_NOW}
local limits, calls = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local free, delays = {{}}, {{}}
for i, key in ipairs(KEYS) do free[i] = math.max(tonumber(redis.call('GET', key) or '0'), now) end
for number, used in ipairs(calls) do
  local turn = now
  for _, i in ipairs(used) do turn = math.max(turn, free[i] - limits[i][2]) end
  for _, i in ipairs(used) do free[i] = math.max(free[i], turn) + limits[i][1] end
  delays[number] = math.floor(turn - now)
end
for i, key in ipairs(KEYS) do keep(key, free[i]) end
return delays
"""
_ADMIT: Final = f"""{_NOW}
local interval, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = free + interval - count * interval - now
if wait > 0 then return {{0, free - now, wait}} end
keep(KEYS[1], free + interval)
return {{math.floor(-wait / interval), free + interval - now, 0}}
"""
