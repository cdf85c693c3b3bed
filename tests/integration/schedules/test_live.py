"""Beat starts what is due by itself, and in time."""

from __future__ import annotations

from sqlalchemy import select

from aispine.store.database import Store
from aispine.store.models import ScheduleFiringRow
from tests.support.flows import Flows
from tests.support.polling import eventually
from tests.support.shapes import echo, flow
from tests.support.workers import Workers


def test_beat_starts_a_flow_every_second_and_in_time(workers: Workers, flows: Flows, engine_store: Store) -> None:
    flow_id = flows.deploy(flow("heartbeat", echo("a"), schedule={"every": 1}))

    def fired() -> list[ScheduleFiringRow]:
        with engine_store.session(None) as session:
            mine = select(ScheduleFiringRow).filter_by(tenant_id=flows.tenant_id)
            found = list(session.scalars(mine.order_by(ScheduleFiringRow.due_at)))
        return found if len(found) >= 4 else []

    found = eventually(fired, 30, "four firings")
    flows.deploy(flow(flow_id, echo("a")) | {"version": "1.1.0"})
    assert sorted((row.fired_at - row.due_at).total_seconds() for row in found)[-2] < 1.5
    assert {flows.wait(str(row.execution_id)).status for row in found} == {"completed"}
