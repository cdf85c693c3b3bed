from __future__ import annotations

from aispine.stack.supervisor import Backoff


def delays(uptimes: list[float]) -> list[float]:
    backoff, found = Backoff(), []
    for uptime in uptimes:
        backoff = backoff.after(uptime)
        found.append(backoff.delay)
    return found


def test_the_delay_doubles_from_one_second_to_ten_seconds():
    assert delays([0.1] * 8) == [1, 2, 4, 8, 10, 10, 10, 10]


def test_a_minute_of_health_forgets_the_failures():
    assert delays([0.1, 0.1, 0.1, 60.0, 0.1]) == [1, 2, 4, 1, 2]
