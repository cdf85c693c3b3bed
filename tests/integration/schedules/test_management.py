"""A flow's file makes, changes and removes its schedule; people pause, resume and add others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aispine import catalog, schedules
from aispine.errors import InvalidInput, NotFound
from aispine.flow.model import Schedule
from aispine.store.database import Store
from tests.integration.schedules.timetable import Timetable
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

CRON = {"cron": "0 8 * * *", "timezone": "Europe/Madrid"}


def report(version: str = "1.0.0", **keys: Any) -> dict[str, Any]:
    return flow("report", echo("a"), **keys) | {"version": version}


def test_the_newest_version_says_when_a_flow_starts(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(report(schedule=CRON))
    first = timetable.only()
    assert (first.cron, first.timezone, first.origin) == ("0 8 * * *", "Europe/Madrid", "flow")
    assert first.next_due_at is not None
    flows.deploy(report("1.1.0", schedule={"every": "10m"}))
    changed = timetable.only()
    assert (changed.schedule_id, changed.cron, changed.every) == (first.schedule_id, None, 600.0)
    assert changed.next_due_at == changed.anchor_at + timedelta(minutes=10)
    flows.deploy(report("1.0.5", schedule=CRON))
    assert timetable.only().every == 600.0
    flows.deploy(report("1.2.0"))
    assert timetable.rows() == []


def test_the_same_schedule_again_goes_on_counting(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(report(schedule={"every": "10m"}))
    before = timetable.only()
    flows.deploy(report(schedule={"every": "10m"}))
    flows.deploy(report("1.1.0", name="Another title", schedule={"every": "10m", "input": {"n": 1}}))
    after = timetable.only()
    assert (after.anchor_at, after.next_due_at, after.input) == (before.anchor_at, before.next_due_at, {"n": 1})


def test_a_deleted_flow_has_no_schedule_until_it_is_deployed_again(
    timetable: Timetable, flows: Flows, web_store: Store
) -> None:
    flows.deploy(report(schedule=CRON))
    with web_store.session(timetable.tenant_id) as session:
        schedules.create(session, timetable.tenant_id, "report", Schedule(every=60.0))
        assert len(schedules.list_schedules(session, timetable.tenant_id)) == 2
        catalog.delete(session, timetable.tenant_id, "report")
        assert schedules.list_schedules(session, timetable.tenant_id) == []
    flows.deploy(report(schedule=CRON))
    assert timetable.only().origin == "flow"


def test_a_deleted_schedule_of_a_file_is_there_again_when_the_flow_is_deployed(
    timetable: Timetable, flows: Flows, web_store: Store
) -> None:
    flows.deploy(report(schedule=CRON))
    with web_store.session(timetable.tenant_id) as session:
        schedules.delete(session, timetable.tenant_id, timetable.only().schedule_id)
    assert timetable.rows() == []
    flows.deploy(report(schedule=CRON))
    assert timetable.only().cron == CRON["cron"]


def test_a_paused_schedule_is_not_due_and_stays_paused_through_a_deploy(
    timetable: Timetable, flows: Flows, web_store: Store
) -> None:
    flows.deploy(report(schedule={"every": "1h"}))
    due_at = timetable.make_due(ago=timedelta(hours=5, minutes=30))
    schedule_id, tenant_id = timetable.only().schedule_id, timetable.tenant_id
    with web_store.session(tenant_id) as session:
        paused = schedules.pause(session, tenant_id, schedule_id)
    assert (paused.paused, paused.next_due_at, paused.next_times) == (True, None, ())
    assert timetable.fire() == []
    flows.deploy(report("1.1.0", schedule={"every": "1h", "input": {"n": 1}}))
    assert timetable.only().next_due_at is None
    with web_store.session(tenant_id) as session:
        schedules.pause(session, tenant_id, schedule_id)
        resumed = schedules.resume(session, tenant_id, schedule_id)
        assert schedules.resume(session, tenant_id, schedule_id) == resumed
    assert resumed.next_due_at == due_at + timedelta(hours=6)
    assert resumed.next_times[:2] == (due_at + timedelta(hours=6), due_at + timedelta(hours=7))
    assert timetable.fire() == []


def test_a_schedule_beside_the_file_is_the_peoples_own(timetable: Timetable, flows: Flows, web_store: Store) -> None:
    schema = {"type": "object", "required": ["region"]}
    flows.deploy(report(input_schema=schema))
    tenant_id = timetable.tenant_id
    with web_store.session(tenant_id) as session:
        with pytest.raises(InvalidInput):
            schedules.create(session, tenant_id, "report", Schedule(every=60.0))
        with pytest.raises(NotFound):
            schedules.create(session, tenant_id, "nobody", Schedule(every=60.0))
        made = schedules.create(session, tenant_id, "report", Schedule(every=60.0, input={"region": "south"}))
    flows.deploy(report("1.1.0", input_schema=schema))
    timetable.make_due()
    (fired,) = timetable.fire()
    with web_store.session(tenant_id) as session:
        shown = schedules.show(session, tenant_id, made.schedule_id)
        assert [firing.execution_id for firing in shown.firings] == [fired.execution_id]
        schedules.delete(session, tenant_id, made.schedule_id)
        with pytest.raises(NotFound):
            schedules.show(session, tenant_id, made.schedule_id)
    assert [execution.schedule_id for execution in timetable.executions()] == [made.schedule_id]


@pytest.mark.parametrize("schedule_id", ["nonsense", "01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77"])
def test_a_schedule_that_is_not_there_is_not_found(timetable: Timetable, web_store: Store, schedule_id: str) -> None:
    for act in (schedules.show, schedules.pause, schedules.resume, schedules.delete):
        with pytest.raises(NotFound), web_store.session(timetable.tenant_id) as session:
            act(session, timetable.tenant_id, schedule_id)
