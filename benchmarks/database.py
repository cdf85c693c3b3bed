"""What the store knows of the runs, and how its server is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import create_engine, text

from aispine.errors import StackError

DURABILITY: Final = ("fsync", "synchronous_commit", "full_page_writes")

_END: Final = text(
    "SELECT status, extract(epoch FROM finished_at)::float AS finished_at FROM executions "
    "WHERE execution_id = :execution_id AND finished_at IS NOT NULL"
)
_FIRST_START: Final = text(
    "SELECT min(extract(epoch FROM created_at))::float FROM events "
    "WHERE execution_id = :execution_id AND type = 'node.started'"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How an execution ended; `finished_at` in seconds since the epoch, by the store's clock."""

    status: str
    finished_at: float


class Database:
    """The store, read by its owner over one connection."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self._connection = self._engine.connect()

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def end(self, execution_id: str) -> End | None:
        """None while the execution goes on."""
        row = self._connection.execute(_END, {"execution_id": execution_id}).one_or_none()
        return None if row is None else End(status=row.status, finished_at=row.finished_at)

    def first_start(self, execution_id: str) -> float:
        """When the first node of an execution was recorded as started, in seconds since the epoch."""
        return float(self._connection.execute(_FIRST_START, {"execution_id": execution_id}).scalar_one())

    def show(self, setting: str) -> str:
        """The value of a server setting."""
        return str(self._connection.exec_driver_sql(f"SHOW {setting}").scalar_one())

    def durability(self) -> dict[str, str]:
        """The settings that make a commit last. Raises `StackError` unless all are on."""
        values = {name: self.show(name) for name in DURABILITY}
        off = [f"{name}={value}" for name, value in values.items() if value != "on"]
        if off:
            raise StackError(f"PostgreSQL is not durable here ({', '.join(off)}): its times would mean nothing")
        return values

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_error: Any) -> None:
        self.close()
