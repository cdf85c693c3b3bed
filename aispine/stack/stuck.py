"""Work that does not go on: silent processes, queues that nobody serves, rows that nobody has looked at when due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from aispine.settings import Settings
from aispine.stack.health import Skipped, Unwell
from aispine.stack.worker import BEAT, POOLS

if TYPE_CHECKING:
    from aispine.engine.attendance import WorkerView
    from aispine.store.database import Store

_LATE: Final = 10.0
"""Seconds after its due time at which a row should have been looked at by the tick, with much to spare."""
_SHOWN: Final = 3


def heartbeats(settings: Settings, store: Store) -> str:
    """Raises `Unwell` when beat does not tick, or a worker has fallen silent."""
    found = _attendance(settings, store)
    beats = [each for each in found if each.pool == BEAT and each.state != "lost"]
    if not beats:
        raise Unwell(
            "no beat ticks: timers, retries, schedules and recovery stand still",
            hint="Start `aispine worker beat`, or look at what it prints.",
        )
    silent = [each for each in found if each.state == "lost"]
    if silent:
        names = _listed([f"{each.name} for {each.heartbeat_seconds:.0f} s" for each in silent])
        hint = "They were killed, hang or cannot reach the database; what they ran is run again elsewhere."
        raise Unwell(f"silent: {names}", hint=hint)
    oldest = max(each.heartbeat_seconds for each in found)
    return f"{len(found)} processes, the last heartbeat of each at most {oldest:.0f} s old"


def queues(settings: Settings, store: Store) -> str:
    """Raises `Unwell` for a queue that no live worker takes messages from."""
    live = [each for each in _attendance(settings, store) if each.state == "active"]
    served = {queue for each in live for queue in each.queues}
    waiting = _waiting(store)
    missing = [pool.queue for pool in POOLS.values() if pool.queue not in served]
    if missing:
        texts = _listed([f"{queue} ({waiting.get(queue, 0):,} nodes queued)" for queue in missing])
        commands = ", ".join(f"`aispine worker {queue}`" for queue in missing)
        raise Unwell(f"no worker serves {texts}", hint=f"Start {commands}, or `aispine worker resume` a drained one.")
    return ", ".join(f"{pool.queue}: {waiting.get(pool.queue, 0):,} queued" for pool in POOLS.values())


def work(_settings: Settings, store: Store) -> str:
    """Raises `Unwell` when something should have been looked at long ago."""
    from aispine.store import overdue

    found = overdue.executions(store, _LATE)
    if found:
        texts = _listed([f"{each.execution_id} by {each.late:.0f} s" for each in found])
        raise Unwell(
            f"overdue: {texts}",
            hint=f"See why: aispine execution show {found[0].execution_id}; look at what beat prints.",
        )
    return "nothing is overdue"


def _attendance(settings: Settings, store: Store) -> Sequence[WorkerView]:
    from aispine.engine import attendance

    with store.session(None) as session:
        found = attendance.list_workers(session, settings.heartbeat)
    if not found:
        raise Skipped("no process has been heard of", hint="Start them: aispine up")
    return found


def _waiting(store: Store) -> dict[str, int]:
    from aispine.store import overdue

    return dict(overdue.queued(store))


def _listed(texts: Sequence[Any]) -> str:
    rest = len(texts) - _SHOWN
    return ", ".join(map(str, texts[:_SHOWN])) + (f" and {rest} more" if rest > 0 else "")
