"""Beat starts what is due by itself, and in time."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from aispine.stack.worker import beat_command
from aispine.store.database import Store
from aispine.store.models import ExecutionRow, ScheduleFiringRow
from tests.support.environment import ROOT, Servers, process_environment
from tests.support.flows import Flows
from tests.support.polling import eventually
from tests.support.shapes import echo, flow
from tests.support.workers import Workers


def test_beat_starts_a_flow_every_second_and_in_time(workers: Workers, flows: Flows, engine_store: Store) -> None:
    flow_id = flows.deploy(flow("heartbeat", echo("a"), schedule={"every": 1}))

    eventually(lambda: len(_fired(engine_store, flows.tenant_id)) >= 4, 30, "four firings")
    found = _fired(engine_store, flows.tenant_id)
    flows.deploy(flow(flow_id, echo("a")) | {"version": "1.1.0"})
    assert sorted((row.fired_at - row.due_at).total_seconds() for row in found)[-2] < 1.5
    assert {flows.wait(str(row.execution_id)).status for row in found} == {"completed"}


def test_two_beats_that_are_killed_in_turn_fire_each_time_once(
    no_workers: None, flows: Flows, engine_store: Store, servers: Servers, tmp_path: Path
) -> None:
    every = 2
    flow_id = flows.deploy(flow("relay", echo("a"), schedule={"every": every}))
    with contextlib.ExitStack() as stack:
        beats = [stack.enter_context(_beat(servers, tmp_path / f"{number}.log")) for number in range(2)]
        for turn in range(5):
            told = len(_fired(engine_store, flows.tenant_id))
            eventually(lambda: len(_fired(engine_store, flows.tenant_id)) > told, 30, "another time")  # noqa: B023
            if turn < 4:
                beats[turn % 2].kill()
                beats[turn % 2] = stack.enter_context(_beat(servers, tmp_path / f"{turn + 2}.log"))
    found = _fired(engine_store, flows.tenant_id)
    with engine_store.session(None) as session:
        started = session.scalars(select(ExecutionRow.execution_id).filter_by(tenant_id=flows.tenant_id)).all()
    flows.deploy(flow(flow_id, echo("a")) | {"version": "1.1.0"})  # So that no beat of another test goes on with it.
    # On a machine that is short of time nobody may come for two seconds, and then the latest time alone is carried out.
    steps = [(later.due_at - row.due_at) / timedelta(seconds=every) for row, later in itertools.pairwise(found)]
    assert all(step == round(step) >= 1 for step in steps), steps
    assert sorted(map(str, started)) == sorted(str(row.execution_id) for row in found)


@contextlib.contextmanager
def _beat(servers: Servers, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A beat that ticks; killed at the end."""
    with (
        log.open("wb") as output,
        subprocess.Popen(beat_command(), env=process_environment(servers), cwd=ROOT, stderr=output) as beat,
    ):
        try:
            eventually(lambda: "beat: Starting" in log.read_text(), 30, "the start of beat")
            yield beat
        finally:
            beat.kill()


def _fired(store: Store, tenant_id: str) -> Sequence[ScheduleFiringRow]:
    with store.session(None) as session:
        mine = select(ScheduleFiringRow).filter_by(tenant_id=tenant_id)
        return session.scalars(mine.order_by(ScheduleFiringRow.due_at)).all()
