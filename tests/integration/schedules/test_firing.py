"""Each time of a schedule starts one execution, whichever beat comes first and wherever it dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from aispine import schedules
from aispine.store import due
from aispine.store.database import Store
from tests.integration.engine.crew import together
from tests.integration.schedules.timetable import Timetable
from tests.support.environment import ROOT, Servers, process_environment
from tests.support.flows import Flows
from tests.support.polling import eventually
from tests.support.shapes import echo, flow

HOURLY = {"every": "1h", "input": {"region": "south"}}


def test_a_schedule_that_is_due_starts_one_execution_with_its_input(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(flow("report", echo("a"), schedule=HOURLY))
    # What other tests have left due is fired on the way.
    timetable.fire()
    assert timetable.firings() == []
    due_at = timetable.make_due()
    (fired,) = timetable.fire()
    (execution,) = timetable.executions()
    assert fired.execution_id == execution.execution_id
    assert (execution.schedule_id, execution.input) == (fired.schedule_id, {"region": "south"})
    assert [(row.due_at, row.execution_id) for row in timetable.firings()] == [(due_at, execution.execution_id)]
    assert timetable.only().next_due_at == due_at + timedelta(hours=1)
    assert timetable.fire() == []


def test_many_beats_at_once_fire_a_time_once(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(flow("report", echo("a"), schedule=HOURLY))
    for hour in range(5):
        timetable.make_due(ago=timedelta(seconds=1))
        found = together(*[timetable.fire] * 6)
        assert sum(map(len, found)) == 1
        assert len(timetable.executions()) == hour + 1


def test_of_the_times_that_were_missed_the_latest_fires_and_once(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(flow("report", echo("a"), schedule=HOURLY))
    first = timetable.make_due(ago=timedelta(hours=50, minutes=20))
    timetable.fire()
    assert [row.due_at for row in timetable.firings()] == [first + timedelta(hours=50)]
    assert timetable.only().next_due_at == first + timedelta(hours=51)
    assert len(timetable.executions()) == 1


def test_a_time_that_comes_again_in_the_row_is_not_carried_out_again(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(flow("report", echo("a"), schedule=HOURLY))
    due_at = timetable.make_due()
    timetable.fire()
    with timetable.store.session(None) as session:
        again = {"id": timetable.only().schedule_id, "due_at": due_at}
        session.execute(text("UPDATE schedules SET next_due_at = :due_at WHERE schedule_id = :id"), again)
    timetable.fire()
    assert len(timetable.executions()) == 1
    assert timetable.only().next_due_at == due_at + timedelta(hours=1)


def test_a_flow_that_cannot_start_leaves_its_error_and_keeps_no_other_from_its_time(
    timetable: Timetable, flows: Flows, web_store: Store
) -> None:
    flows.deploy(flow("picky", echo("a"), schedule=HOURLY))
    flows.deploy(flow("picky", echo("a"), input_schema={"type": "object", "required": ["n"]}) | {"version": "0.9.0"})
    flows.deploy(flow("sound", echo("a"), schedule=HOURLY))
    with timetable.store.session(None) as session:
        session.execute(
            text("""UPDATE flow_versions SET source = 'nonsense: [', content_hash = 'another'
                    WHERE tenant_id = :tenant AND flow_id = 'picky' AND version = '1.0.0'"""),
            {"tenant": timetable.tenant_id},
        )
    timetable.make_due()
    fired = timetable.fire()
    assert {each.flow_id: each.execution_id is None for each in fired} == {"picky": True, "sound": False}
    (failed,) = [row for row in timetable.firings() if row.execution_id is None]
    assert failed.error["code"] == "invalid_flow"
    assert all(row.next_due_at is not None and row.next_due_at > timetable.now() for row in timetable.rows())


def test_a_schedule_whose_time_zone_is_gone_is_paused_with_its_error(
    timetable: Timetable, flows: Flows, web_store: Store
) -> None:
    flows.deploy(flow("lost", echo("a"), schedule={"cron": "0 8 * * *", "timezone": "Europe/Madrid"}))
    flows.deploy(flow("sound", echo("a"), schedule=HOURLY))
    timetable.make_due()
    with timetable.store.session(None) as session:
        mine = "cron IS NOT NULL AND tenant_id = :tenant"
        gone = text(f"UPDATE schedules SET timezone = 'Mars/Olympus' WHERE {mine}")
        session.execute(gone, {"tenant": timetable.tenant_id})
    assert {each.flow_id: each.error is None for each in timetable.fire()} == {
        "lost": False,
        "sound": True,
    }
    (lost,) = [row for row in timetable.rows() if row.flow_id == "lost"]
    with web_store.session(timetable.tenant_id) as session:
        shown = schedules.show(session, timetable.tenant_id, lost.schedule_id)
    assert (shown.paused, shown.next_due_at, shown.next_times) == (True, None, ())
    assert "Mars/Olympus" in str(shown.firings[0].error)


def test_the_tick_wakes_when_a_schedule_is_due(timetable: Timetable, flows: Flows) -> None:
    flows.deploy(flow("report", echo("a"), schedule=HOURLY))
    due_at = timetable.make_due(ago=timedelta(days=9))
    next_due, now = due.next_due(timetable.store)
    assert next_due is not None
    assert next_due <= due_at < now


KILLED = """
import os, signal, sys
from sqlalchemy import event
from aispine import schedules, settings
from aispine.schedules import firing
from aispine.store.database import Store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

where = sys.argv[1]
store = Store(settings.current().engine_database_url, pool_size=1)
if where == "after the insert":
    record = firing.schedules.record
    firing.schedules.record = lambda *a, **k: (record(*a, **k), die())
elif where == "before the commit":
    event.listen(store.engine, "commit", die)
else:
    firing.announce = die
schedules.fire_due(store)
"""


@pytest.mark.parametrize("where", ["after the insert", "before the commit", "before the announcement"])
def test_beats_that_are_killed_in_turn_fire_a_time_once(
    timetable: Timetable, flows: Flows, servers: Servers, where: str
) -> None:
    flows.deploy(flow("report", echo("a"), schedule=HOURLY))
    due_at = timetable.make_due()
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, where], env=process_environment(servers), cwd=ROOT, check=False, timeout=60
        )
        committed = where == "before the announcement"
        if done.returncode == 0:
            assert committed
        else:
            assert done.returncode == -signal.SIGKILL
        # The server lets go of the dead process's row as soon as it sees the connection closed.
        eventually(lambda: _unheld(timetable), 10)
        assert len(timetable.executions()) == int(committed)
    timetable.fire()
    (execution,) = timetable.executions()
    assert [(row.due_at, row.execution_id) for row in timetable.firings()] == [(due_at, execution.execution_id)]
    # What was not announced is: the tick looks for it.
    assert execution.due_at is not None


def _unheld(timetable: Timetable) -> bool:
    with timetable.store.session(None) as session:
        free = text("SELECT 1 FROM schedules WHERE tenant_id = :tenant FOR UPDATE SKIP LOCKED")
        return session.scalar(free, {"tenant": timetable.tenant_id}) is not None
