"""The table of counters: figures about the whole platform that every process adds to, and what is open just now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aispine.store.database import Store, dumps
from aispine.store.models import CounterRow
from aispine.store.prepared import Statement

Key = tuple[str, str]
"""A figure's name and its labels as they are shown."""
_MOST_NODES: Final = 200_000


def _writer(name: str, value: str) -> Statement:
    """In one order, so that two processes never wait for each other."""
    return Statement(
        name,
        "json",
        f"""
        INSERT INTO counters AS c (name, labels, value, updated_at)
        SELECT x.name, x.labels, x.value, clock_timestamp()
        FROM json_to_recordset($1) AS x(name text, labels text, value double precision) ORDER BY x.name, x.labels
        ON CONFLICT (name, labels) DO UPDATE SET value = {value}, updated_at = excluded.updated_at
        """,
    )


_ADD: Final = _writer("add_to_counters", "c.value + excluded.value")
_PUT: Final = _writer("put_gauges", "excluded.value")
# Each part goes by an index that holds open work alone, so that it costs what is open and not what there ever was.
_OPEN: Final = Statement(
    "open_work",
    "int",
    """
    SELECT 'executions' AS kind, status, count(*) AS count FROM executions
    WHERE status NOT IN ('completed', 'failed', 'cancelled', 'timed_out') GROUP BY status
    UNION ALL
    SELECT 'nodes', status, count(*) FROM (
      SELECT status FROM node_executions
      WHERE due_at IS NOT NULL AND status IN ('queued', 'running', 'retrying') LIMIT $1
    ) n GROUP BY status
    UNION ALL
    SELECT 'nodes', 'waiting', count(*) FROM (SELECT 1 FROM node_executions WHERE status = 'waiting' LIMIT $1) w
    """,
)


def add(store: Store, amounts: Mapping[Key, float]) -> None:
    """Adds to counters, making those that are new."""
    with store.autocommit() as link:
        _ADD.run(link, dumps(_rows(amounts.items())))


def put(store: Store, values: Mapping[Key, float]) -> None:
    """Sets gauges to what they are now."""
    with store.autocommit() as link:
        _PUT.run(link, dumps(_rows(values.items())))


def rows(session: Session) -> Sequence[CounterRow]:
    """Every figure, by name and labels."""
    return session.scalars(select(CounterRow).order_by(CounterRow.name, CounterRow.labels)).all()


def open_work(store: Store) -> Mapping[tuple[str, str], int]:
    """How many `executions` and how many `nodes` are open, by status; the nodes of one status up to a bound."""
    with store.autocommit() as link:
        return {(row.kind, row.status): row.count for row in _OPEN.all(link, _MOST_NODES)}


def _rows(items: Iterable[tuple[Key, float]]) -> list[dict[str, Any]]:
    return [{"name": name, "labels": labels, "value": value} for (name, labels), value in items]
