"""The table of what calls of agents came to: by the tenant that calls, version, day (UTC) and outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from aispine.store.database import Store, bind_tenant, dumps
from aispine.store.models import AgentMetricRow
from aispine.store.prepared import Statement

KEPT_DAYS: Final = 90


@dataclass(kw_only=True, slots=True)
class Calls:
    """What some calls with one outcome came to; `buckets` counts them by their seconds."""

    tenant_id: str
    agent_id: str
    version: str
    outcome: str
    calls: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    buckets: list[int]


# In one order, so that two processes never wait for each other.
_ADD: Final = Statement(
    "add_to_agent_metrics",
    "json",
    """
    INSERT INTO agent_metrics AS m (tenant_id, agent_id, version, day, outcome, calls, seconds, slowest, buckets)
    SELECT x.tenant_id, x.agent_id, x.version, (clock_timestamp() AT TIME ZONE 'UTC')::date, x.outcome,
           x.calls, x.seconds, x.slowest, x.buckets
    FROM json_to_recordset($1) AS x(
      tenant_id text, agent_id text, version text, outcome text,
      calls bigint, seconds double precision, slowest double precision, buckets bigint[])
    ORDER BY x.tenant_id, x.agent_id, x.version, x.outcome
    ON CONFLICT (tenant_id, agent_id, version, day, outcome) DO UPDATE SET
      calls = m.calls + excluded.calls,
      seconds = m.seconds + excluded.seconds,
      slowest = greatest(m.slowest, excluded.slowest),
      buckets = ARRAY(
        SELECT coalesce(a.n, 0) + coalesce(b.n, 0)
        FROM unnest(m.buckets) WITH ORDINALITY AS a(n, place)
        FULL JOIN unnest(excluded.buckets) WITH ORDINALITY AS b(n, place) USING (place) ORDER BY place
      )
    """,
)


def add(store: Store, found: Iterable[Calls], *, bound: bool = False) -> None:
    """Adds calls to those of the day; `bound` says that the login sees one tenant at a time."""
    rows = sorted(found, key=lambda each: each.tenant_id)
    if not rows:
        return
    with store.autocommit() as link:
        if not bound:
            _ADD.run(link, dumps([asdict(each) for each in rows]))
            return
        for tenant_id, own in groupby(rows, key=lambda each: each.tenant_id):
            _ADD.one(link, dumps([asdict(each) for each in own]), before=bind_tenant(link, tenant_id).rstrip("; "))


def since(session: Session, tenant_id: str, agent_id: str, days: int) -> Sequence[AgentMetricRow]:
    """What the tenant's calls of an agent came to in the last days, today included."""
    row = AgentMetricRow
    today: Any = func.date(func.timezone("UTC", func.clock_timestamp()))
    where = (row.tenant_id == tenant_id, row.agent_id == agent_id, row.day > today - days)
    return session.scalars(select(row).where(*where).order_by(row.day)).all()


def forget(session: Session) -> None:
    """Deletes what is older than is kept."""
    today: Any = func.date(func.timezone("UTC", func.clock_timestamp()))
    session.execute(delete(AgentMetricRow).where(AgentMetricRow.day < today - KEPT_DAYS))
