from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence

from aispine.errors import NotFound, StoreUnavailable
from aispine.events import feed as feeding
from aispine.events.feed import Batch, Feed, Feeds, Frame, follow
from aispine.events.wakeups import Wakeups
from tests.support.polling import eventually

PAGE = 10
LONG = 3600.0


class Log:
    """The log of one execution, in memory, read in pages; `trouble` is raised once instead."""

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.final = False
        self.reads: list[tuple[str, int]] = []
        self.trouble: Exception | None = None
        self.between: Callable[[], None] = lambda: None

    def read(self, _feed: Feed, after: int) -> Batch:
        self.reads.append((threading.current_thread().name, after))
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble
        found = [framed(seq) for seq in range(after + 1, min(after + PAGE, self.count) + 1)]
        final = self.final and after + len(found) >= self.count
        self.between()
        return Batch(frames=found, final=final, more=len(found) == PAGE)

    @property
    def live_reads(self) -> int:
        return sum(name == "event-feeds" for name, _ in self.reads)


def framed(seq: int) -> Frame:
    data = b"%d " % seq + b"." * 100
    return Frame(seq=seq, masked=data, plain=data)


class Followers:
    """Threads that follow one execution until its end."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.feeds = Feeds(log.read, Wakeups(None))
        self.seen: list[list[int]] = []
        self.threads: list[threading.Thread] = []
        self.followed: Feed | None = None

    def add(self, after: int = 0, pause: Callable[[], object] = lambda: None) -> list[int]:
        self.followed = feed = self.feeds.join("t", "x", max(min(after, self.log.count), self.log.count - PAGE))
        seen: list[int] = []

        def go() -> None:
            for frames in follow(self.feeds, feed, after, keep_alive=LONG, going_on=lambda: True):
                seen.extend(frame.seq for frame in frames)
                pause()
            self.feeds.leave(feed)

        self.seen.append(seen)
        self.threads.append(threading.Thread(target=go, daemon=True))
        self.threads[-1].start()
        return seen

    def grow(self, count: int, *, final: bool = False) -> None:
        self.log.count += count
        self.log.final = final
        assert self.followed is not None
        self.feeds.wake(self.followed)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()
        assert len(self.feeds) == 0


def until(seen: Sequence[int], last: int) -> None:
    eventually(lambda: bool(seen) and seen[-1] >= last, 10, f"event {last}")


def test_one_thread_reads_once_for_all_who_follow_an_execution() -> None:
    followers = Followers(Log())
    for _ in range(20):
        followers.add()
    for number in range(1, 6):
        followers.grow(1)
        for seen in followers.seen:
            until(seen, number)
    followers.grow(1, final=True)
    followers.join()
    assert followers.seen == [[1, 2, 3, 4, 5, 6]] * 20
    assert {name for name, _ in followers.log.reads} == {"event-feeds"}
    # One for each event; some more where the machine is so slow that a second passes in silence.
    assert followers.log.live_reads < 20


def test_who_comes_late_gets_everything_once_and_in_order() -> None:
    followers = Followers(Log(35))
    followers.add(35)
    for _ in range(30):
        followers.add(0)
        followers.add(17)
        followers.grow(3)
    followers.grow(1, final=True)
    followers.join()
    last = followers.log.count
    whole, part = list(range(1, last + 1)), list(range(18, last + 1))
    assert followers.seen == [list(range(36, last + 1)), *[whole, part] * 30]


def test_who_does_not_take_what_comes_delays_nobody_and_loses_nothing() -> None:
    free = threading.Event()
    followers = Followers(Log())
    slow = followers.add(pause=lambda: free.wait(10))
    quick = followers.add()
    kept = feeding.KEPT_BYTES // framed(1).size
    for _ in range(0, 2 * kept, 100):
        followers.grow(100)
        until(quick, followers.log.count)
    assert followers.followed is not None
    assert len(followers.followed._frames) <= kept
    assert len(slow) < followers.log.count
    free.set()
    followers.grow(1, final=True)
    followers.join()
    assert slow == quick == list(range(1, followers.log.count + 1))


def test_a_wake_up_while_the_log_is_read_is_not_lost() -> None:
    log = Log()
    followers = Followers(log)
    added = iter([True])

    def between() -> None:
        if next(added, False):
            # The reading has found nothing and has not said so yet.
            followers.grow(1, final=True)

    log.between = between
    followers.add()
    followers.join()
    assert followers.seen == [[1]]


def test_a_log_that_cannot_be_read_for_a_while_is_read_again() -> None:
    log = Log(2)
    log.trouble = StoreUnavailable()
    followers = Followers(log)
    seen = followers.add()
    until(seen, 2)
    followers.grow(1, final=True)
    followers.join()
    assert seen == [1, 2, 3]


def test_an_execution_that_is_gone_and_a_reader_that_breaks_end_their_followers() -> None:
    for trouble in (NotFound("it was deleted"), ZeroDivisionError()):
        log = Log(2)
        log.trouble = trouble
        followers = Followers(log)
        followers.add()
        followers.join()
        assert followers.seen == [[]]


def test_an_end_after_which_the_execution_was_opened_again_is_passed() -> None:
    log = Log(3)
    log.final = True
    feeds = Feeds(log.read, Wakeups(None))
    ended = feeds.join("t", "x", 0)
    eventually(lambda: ended.final, 10, "the end")
    log.final, log.count = False, 4
    again = feeds.join("t", "x", 3)
    assert again is not ended
    assert next(followed(feeds, again, 3)) == [4]
    feeds.leave(ended)
    feeds.leave(again)
    eventually(lambda: feeds._thread is None, 10, "the end of the thread")


def test_silence_is_told_and_a_process_that_stops_ends_it() -> None:
    feeds = Feeds(Log(1).read, Wakeups(None))
    feed = feeds.join("t", "x", 0)
    rounds = itertools.count()
    found = list(followed(feeds, feed, 0, keep_alive=0.01, going_on=lambda: next(rounds) < 10))
    assert [] in found
    assert [each for each in found if each] in ([], [[1]])
    feeds.leave(feed)


def test_a_number_beyond_the_last_event_waits_for_the_end() -> None:
    followers = Followers(Log(2))
    far, all_ = followers.add(1000), followers.add(0)
    followers.grow(1, final=True)
    followers.join()
    assert (far, all_) == ([], [1, 2, 3])


def followed(
    feeds: Feeds,
    feed: Feed,
    after: int,
    *,
    keep_alive: float = LONG,
    going_on: Callable[[], bool] = lambda: True,
) -> Iterator[list[int]]:
    for frames in follow(feeds, feed, after, keep_alive=keep_alive, going_on=going_on):
        yield [frame.seq for frame in frames]
