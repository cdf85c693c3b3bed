"""The embedded servers together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aispine.settings import Settings
from aispine.stack import home, postgres, redis
from aispine.stack.ledger import Ledger
from aispine.stack.process import Process


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """What runs and where it is reached; a server that the user brought is a URL without a process."""

    database_url: str
    redis_url: str
    processes: Sequence[Process] = ()

    def stop(self) -> None:
        """Ends the embedded servers cleanly, all asked at once."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.stop()


def start(settings: Settings, ledger: Ledger | None = None) -> Servers:
    """Starts PostgreSQL and Redis under `settings.home`, each unless its URL is set, and waits until both answer.

    One caller at a time may use a home: `up` holds its lock; a test has a home of its own.
    Call it from the main thread: the servers end with the thread that started them.
    Raises `StackError` when a server does not come up; then none is left running.
    """
    folder = home.prepare(settings.home)
    ledger = ledger or Ledger(folder)
    ledger.end_leftovers()
    processes: list[Process] = []
    database_url, redis_url = settings.database_url, settings.redis_url
    try:
        if redis_url is None:
            instance, process = redis.start(folder)
            processes.append(process)
            ledger.add(process)
            redis_url = instance.url
        if database_url is None:
            cluster = postgres.prepare(folder)
            process = postgres.start(cluster)
            processes.append(process)
            ledger.add(process)
            database_url = cluster.url
    except BaseException:
        Servers(database_url="", redis_url="", processes=processes).stop()
        raise
    return Servers(database_url=database_url, redis_url=redis_url, processes=processes)
