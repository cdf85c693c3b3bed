"""The thread that looks after the time."""

from __future__ import annotations

import threading

from aispine.engine.watchdog import Watchdog


def test_alarms_ring_in_order_of_their_time_and_one_that_fails_stops_none() -> None:
    rung: list[str] = []
    done = threading.Event()
    watchdog = Watchdog()
    watchdog.after(0.08, lambda: (rung.append("last"), done.set()))
    watchdog.after(0.04, lambda: rung.append("second"))
    watchdog.after(0.02, lambda: 1 / 0)
    watchdog.after(0.01, lambda: rung.append("first"))
    watchdog.after(0.03, lambda: rung.append("never")).call_off()
    assert done.wait(5)
    assert rung == ["first", "second", "last"]
