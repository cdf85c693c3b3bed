"""What the store knows, read by its owner; a server that is away just now is asked again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

_PATIENCE: Final = 90.0
_RUNNING: Final = """
    SELECT execution_id::text AS id, path, attempt, lease_owner, queue FROM node_executions
    WHERE status = 'running' AND lease_owner IS NOT NULL ORDER BY execution_id, path
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """An attempt that a process runs."""

    execution_id: str
    path: str
    attempt: int
    owner: str
    queue: str | None

    @property
    def pid(self) -> int:
        return int(self.owner.split(":")[1])


class Database:
    """The store behind a stack, over a new connection each time."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def rows(self, sql: str, **parameters: Any) -> list[Row[Any]]:
        """Raises `OperationalError` when PostgreSQL stays away."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._engine.connect() as connection:
                    return list(connection.execute(text(sql), parameters))
            except OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def running(self, pids: Iterable[int] | None = None) -> list[Running]:
        """Attempts that run, those of some processes where `pids` says so."""
        found = [
            Running(execution_id=row.id, path=row.path, attempt=row.attempt, owner=row.lease_owner, queue=row.queue)
            for row in self.rows(_RUNNING)
        ]
        wanted = None if pids is None else set(pids)
        return [each for each in found if wanted is None or each.pid in wanted]

    def open(self, run_id: str) -> int:
        """How many executions of a run have not ended."""
        sql = """SELECT count(*) AS open FROM executions WHERE correlation_id = :run
                 AND status NOT IN ('completed', 'failed', 'cancelled', 'timed_out')"""
        return int(self.rows(sql, run=run_id)[0].open)
