"""Turns and quotas on a real Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from aispine.guards.shared import Shared
from aispine.guards.turns import Limit, Turns
from aispine.store.ids import new_id
from tests.support.environment import Servers


@pytest.fixture
def turns(servers: Servers) -> Turns:
    return Turns(Shared(servers.redis_url))


def limit(count: int, seconds: float = 60.0) -> Limit:
    return Limit(key=new_id(), count=count, seconds=seconds)


def test_after_a_few_at_once_each_call_has_its_turn_an_interval_later(turns: Turns) -> None:
    one = limit(100)
    delays = turns.take([[one]] * 8)
    assert delays[:5] == [0.0] * 5
    assert delays[5:] == pytest.approx([0.6, 1.2, 1.8], abs=0.05)
    assert turns.take([[one]])[0] == pytest.approx(2.4, abs=0.1)


def test_the_turn_of_a_call_with_several_limits_is_the_latest_of_them(turns: Turns) -> None:
    wide, narrow = limit(1000), limit(10)
    turns.take([[narrow]] * 5)
    first, second = turns.take([[wide, narrow], [wide, narrow]])
    assert (first, second) == (pytest.approx(6, abs=0.1), pytest.approx(12, abs=0.1))
    # The wide one was used up to there as well: turns come in the order in which they were asked for.
    assert turns.take([[wide]])[0] > 8


def test_turns_asked_for_at_once_are_all_different_and_none_is_lost(turns: Turns) -> None:
    one = limit(6000)
    with ThreadPoolExecutor(8) as threads:
        delays = sorted(chain(*threads.map(lambda _: turns.take([[one]] * 10), range(100))))
    waiting = [delay for delay in delays if delay > 0]
    assert len(delays) == 1000
    # A thousand calls at 100 a second, 300 of them at once; asking took some time, so the rest is a little sooner.
    assert max(delays) == pytest.approx(7, rel=0.1)
    assert len(waiting) == len(set(waiting))


def test_a_quota_is_there_at_once_and_comes_back_bit_by_bit(turns: Turns) -> None:
    one = limit(3, 60)
    quotas = [turns.admit(one) for _ in range(4)]
    assert [quota.remaining for quota in quotas if quota] == [2, 1, 0, 0]
    last = quotas[-1]
    assert last is not None
    assert last.retry_after == pytest.approx(20, abs=0.5)
    assert last.reset == pytest.approx(60, abs=0.5)


def test_without_redis_everything_passes_and_is_counted() -> None:
    missed: list[int] = []
    away = Turns(Shared("redis://127.0.0.1:1/0", missed=lambda: missed.append(1)))
    assert away.take([[limit(1)]] * 3) == [0.0] * 3
    assert away.admit(limit(1)) is None
    assert len(missed) == 2
