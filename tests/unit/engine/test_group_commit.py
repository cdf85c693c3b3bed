"""Threads that want something of one execution are served together while it is busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from aispine.engine import group_commit
from aispine.engine.group_commit import GroupCommit
from tests.support.polling import eventually


class Counter:
    """Serves who comes, the first only when it is let; `groups` are the items that it was given at a time."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.let = threading.Event(), threading.Event()

    def serve(self, items: Sequence[int]) -> list[str]:
        self.groups.append(list(items))
        self.begun.set()
        assert self.let.wait(10)
        if 13 in items:
            raise ValueError("13 is not to be had")
        return [f"served {item}" for item in items]


class Crowd:
    """Threads that ask; the first is being served when the others come."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.commit: GroupCommit[int, str] = GroupCommit()
        self.counter = Counter()
        self._pool = pool

    def ask(self, item: int, execution_id: str = "e") -> Future[str]:
        return self._pool.submit(self.commit.ask, execution_id, item, self.counter.serve)

    def come(self, first: int, *others: int) -> list[Future[str]]:
        asked = [self.ask(first)]
        assert self.counter.begun.wait(10)
        asked += [self.ask(item) for item in others]
        line = self.commit._lines["e"]
        eventually(lambda: len(line.waiting) == len(others))
        self.counter.let.set()
        return asked


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(20) as pool:
        yield Crowd(pool)


def test_who_comes_alone_is_served_alone(crowd: Crowd) -> None:
    crowd.counter.let.set()
    assert [crowd.commit.ask("e", item, crowd.counter.serve) for item in (1, 2)] == ["served 1", "served 2"]
    assert crowd.counter.groups == [[1], [2]]


def test_who_comes_meanwhile_is_served_together_and_gets_its_own_answer(crowd: Crowd) -> None:
    asked = crowd.come(1, 2, 3, 4)
    assert [each.result(10) for each in asked] == ["served 1", "served 2", "served 3", "served 4"]
    assert [sorted(group) for group in crowd.counter.groups] == [[1], [2, 3, 4]]


def test_no_group_is_larger_than_the_limit(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST", 4)
    asked = crowd.come(1, *range(20, 30))
    assert [each.result(10) for each in asked[1:]] == [f"served {item}" for item in range(20, 30)]
    assert [len(group) for group in crowd.counter.groups] == [1, 4, 4, 2]


def test_an_error_is_told_to_the_whole_group_and_to_nobody_after_it(crowd: Crowd) -> None:
    asked = crowd.come(1, 13, 2)
    assert asked[0].result(10) == "served 1"
    for each in asked[1:]:
        with pytest.raises(ValueError, match="13 is not to be had"):
            each.result(10)
    assert crowd.ask(3).result(10) == "served 3"


def test_another_execution_is_not_waited_for(crowd: Crowd) -> None:
    held = crowd.ask(1)
    assert crowd.counter.begun.wait(10)
    other = Counter()
    other.let.set()
    assert crowd.commit.ask("another", 2, other.serve) == "served 2"
    crowd.counter.let.set()
    assert held.result(10) == "served 1"


def test_nothing_is_kept_of_those_who_were_served(crowd: Crowd) -> None:
    for each in crowd.come(1, 2, 3):
        each.result(10)
    assert not crowd.commit._lines
