"""What the store knows of the runs, and how its server is set up."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import create_engine, text
from sqlalchemy.sql.elements import TextClause

from aispine.errors import StackError

DURABILITY: Final = ("fsync", "synchronous_commit", "full_page_writes")
_LOOK_SECONDS: Final = 0.05

_END: Final = text(
    "SELECT status, extract(epoch FROM finished_at)::float AS finished_at FROM executions "
    "WHERE execution_id = :execution_id AND finished_at IS NOT NULL"
)
_FIRST_START: Final = text(
    "SELECT min(extract(epoch FROM created_at))::float FROM events "
    "WHERE execution_id = :execution_id AND type = 'node.started'"
)
# Spelled as the index of open executions is: it is asked often, beside what is measured.
_OPEN: Final = text(
    "SELECT count(*) FROM executions WHERE flow_id = :flow_id "
    "AND status NOT IN ('completed', 'failed', 'cancelled', 'timed_out')"
)
_STATUSES: Final = text(
    "SELECT status, count(*) FROM executions WHERE execution_id = ANY(CAST(:ids AS uuid[])) GROUP BY status"
)
_ALL_STATUSES: Final = text("SELECT status, count(*) FROM executions GROUP BY status")
_TOOK: Final = text(
    "SELECT extract(epoch FROM finished_at - created_at)::float FROM executions "
    "WHERE execution_id = ANY(CAST(:ids AS uuid[])) AND finished_at IS NOT NULL"
)
_COMPLETED: Final = text(
    "SELECT count(*) FROM events WHERE type = :type "
    "AND created_at >= to_timestamp(:since) AND created_at < to_timestamp(:until)"
)
# A timer says when it is due; a retry is due its delay after the attempt has failed.
_TIMER_LATE: Final = text(
    "SELECT extract(epoch FROM s.created_at - (w.data->>'until')::timestamptz)::float "
    "FROM events w JOIN events s ON s.execution_id = w.execution_id AND s.type = 'node.started' "
    "WHERE w.type = 'node.waiting' AND w.execution_id = ANY(CAST(:ids AS uuid[]))"
)
_RETRY_LATE: Final = text(
    "SELECT extract(epoch FROM s.created_at - r.created_at)::float - (r.data->>'delay')::float "
    "FROM events r JOIN events s ON s.execution_id = r.execution_id AND s.type = 'node.started' AND s.seq > r.seq "
    "WHERE r.type = 'node.retrying' AND r.execution_id = ANY(CAST(:ids AS uuid[]))"
)
_WAITING: Final = text("SELECT count(*) FROM node_executions WHERE execution_id = :execution_id AND status = 'waiting'")
_BYTES: Final = text(
    "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'"
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

    def open(self, flow_id: str) -> int:
        """How many executions of a flow have not ended."""
        return int(self._connection.execute(_OPEN, {"flow_id": flow_id}).scalar_one())

    def statuses(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        """How many of these executions are where."""
        rows = self._connection.execute(_STATUSES, {"ids": list(execution_ids)})
        return {str(status): int(count) for status, count in rows.all()}

    def all_statuses(self) -> Mapping[str, int]:
        """How many executions there are of each status."""
        rows = self._connection.execute(_ALL_STATUSES)
        return {str(status): int(count) for status, count in rows.all()}

    def await_idle(self, flow_id: str, seconds: float) -> None:
        """Returns once no execution of the flow goes on. Raises `StackError` when some still do."""
        deadline = time.monotonic() + seconds
        while self.open(flow_id):
            if time.monotonic() > deadline:
                raise StackError(f"{self.open(flow_id)} executions of {flow_id} did not end within {seconds:g} s")
            time.sleep(_LOOK_SECONDS)

    def await_waiting(self, execution_id: str, nodes: int, seconds: float) -> None:
        """Returns once so many nodes of an execution wait. Raises `StackError` when they do not."""
        deadline = time.monotonic() + seconds
        while self._connection.execute(_WAITING, {"execution_id": execution_id}).scalar_one() < nodes:
            if time.monotonic() > deadline:
                raise StackError(f"{nodes} nodes did not come to wait within {seconds:g} s")
            time.sleep(_LOOK_SECONDS)

    def took(self, execution_ids: Sequence[str]) -> list[float]:
        """Seconds of those executions that have ended, from their acceptance to their end."""
        return self._numbers(_TOOK, ids=list(execution_ids))

    def late(self, execution_ids: Sequence[str], *, retries: bool) -> list[float]:
        """Seconds from the due time of each timer, or of each retry, until the node was recorded as started."""
        return self._numbers(_RETRY_LATE if retries else _TIMER_LATE, ids=list(execution_ids))

    def counted(self, type_: str, since: float, until: float) -> int:
        """How many events of a type were recorded between two moments, in seconds since the epoch."""
        given = {"type": type_, "since": since, "until": until}
        return int(self._connection.execute(_COMPLETED, given).scalar_one())

    def size(self) -> int:
        """Bytes of all tables, with their indexes."""
        return int(self._connection.execute(_BYTES).scalar_one())

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

    def _numbers(self, statement: TextClause, **given: Any) -> list[float]:
        return [float(each) for each in self._connection.execute(statement, given).scalars()]

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_error: Any) -> None:
        self.close()
