"""A long line of queued nodes before slow workers is honest waiting, and no loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from aispine import settings
from aispine.engine import broker
from aispine.engine.recover import Tick
from aispine.store.database import Store
from tests.integration.engine.beats import GONE, Messages, pass_time, recover
from tests.integration.engine.crew import begin, done, take
from tests.support import environment
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.shapes import fan

MINUTE = 60.0
ROUNDS = 7
"""So often three beats have to tick until each of 10,000 messages that is due can be sent."""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Servers of its own: what other tests have left, as a node whose process was lost, would be more to send."""
    with environment.serving() as found:
        yield found


@pytest.fixture(autouse=True)
def app(settings_env: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Celery app of these servers, in place of the one that the process has."""
    with broker.make_app(settings.current()) as made:
        monkeypatch.setattr(broker, "app", lambda: made)
        yield


def test_of_10_000_queued_nodes_each_gets_one_message_more_in_ten_minutes(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    flow_id = flows.deploy(fan("backlog", 1000, pool="cpu"))
    line = [flows.start(flow_id, announce=False) for _ in range(10)]
    for execution_id in line:
        begin(store, execution_id)
    # Their first messages are not sent here: one of nobody's keeps the queue from being empty, the others are extra.
    for minute in range(1, 14):
        _work_slowly(store, line[minute % 10], minute, dies=minute == 4)
        pass_time(store, *line, seconds=MINUTE)
        for _ in range(ROUNDS if minute >= 10 else 1):
            recover(ticks)
        if minute == 3:
            assert _extra(messages) == 0
        if minute == 9:
            # The lost one ahead of all others and once more after a lease, and the oldest, which its worker may have
            # taken with it: each once.
            assert 100 <= _extra(messages) <= 102
    waiting = _queued(flows, line)
    assert len(waiting) > 9_900
    found = messages.all()
    assert {found[place] for place in waiting} == {1, 2}
    assert [place for place in waiting if found[place] == 2] == [(line[4], "b4")]


def _work_slowly(store: Store, execution_id: str, minute: int, *, dies: bool) -> None:
    """A node in a minute; a worker that dies has begun another."""
    done(store, take(store, execution_id, f"b{100 + minute}"))
    if dies:
        take(store, execution_id, f"b{minute}", GONE)


def _extra(messages: Messages) -> int:
    return messages.all().total() - 1


def _queued(flows: Flows, line: Sequence[str]) -> list[tuple[str, str]]:
    nodes = [(execution_id, node) for execution_id in line for node in flows.see(execution_id).nodes.values()]
    return [(execution_id, node.path) for execution_id, node in nodes if node.status == "queued"]
