"""Feeds: the log of one execution, read once in a process for all who follow it there.

One thread reads for all feeds. What it has read last is kept, and followers take it from there; who falls behind that,
or comes late, reads pages of the store on a thread of their own until they have caught up, and holds nobody up.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aispine import logs
from aispine.errors import AISpineError, NotFound
from aispine.events.wakeups import Wakeups

KEPT_BYTES: Final = 256 * 1024
"""What a feed keeps of the frames that it read last."""
REPLAYS: Final = 2
"""How many followers of a process catch up at once."""
TICK: Final = 0.5
_TROUBLED: Final = 1.0
"""Seconds until a feed is read again that could not be."""

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One event as it is sent: as everybody may see it, and with what is sensitive in it; mostly the same bytes."""

    seq: int
    masked: bytes
    plain: bytes

    @property
    def size(self) -> int:
        return len(self.masked) + (0 if self.plain is self.masked else len(self.plain))


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Frames in order without a gap; `final` when nothing follows them, `more` when there is more to read at once."""

    frames: Sequence[Frame]
    final: bool = False
    more: bool = False


class Feed:
    """The last frames of one execution's log; changed by the reader alone, read by its followers."""

    def __init__(self, tenant_id: str, execution_id: str, begin: int) -> None:
        self.tenant_id = tenant_id
        self.execution_id = execution_id
        self.last = begin
        """The number of the last event that was read."""
        self.final = False
        self.plain = False
        """A note of whoever reads: nothing in this execution is ever hidden."""
        self.read_at = 0.0
        self.followers = 0
        self._frames: deque[Frame] = deque()
        self._size = 0
        self._changed = threading.Condition()

    def add(self, batch: Batch) -> None:
        """Takes what the reader has read and wakes who waits for it."""
        with self._changed:
            for frame in batch.frames:
                self._frames.append(frame)
                self._size += frame.size
                self.last = frame.seq
            while self._size > KEPT_BYTES and len(self._frames) > 1:
                self._size -= self._frames.popleft().size
            self.final = batch.final
            if batch.frames or batch.final:
                self._changed.notify_all()

    def poke(self) -> None:
        """Lets its followers look around, though nothing has come."""
        with self._changed:
            self._changed.notify_all()

    def after(self, seq: int, seconds: float) -> Sequence[Frame] | None:
        """The frames that follow number `seq`, waited for so long; None when they are not kept any more."""
        with self._changed:
            if self.last <= seq and not self.final and seconds > 0:
                self._changed.wait(seconds)
            if self.last > seq and (not self._frames or self._frames[0].seq > seq + 1):
                return None
            found: list[Frame] = []
            for frame in reversed(self._frames):
                if frame.seq <= seq:
                    break
                found.append(frame)
            return found[::-1]

    def over(self, seq: int) -> bool:
        """True when nothing follows number `seq`."""
        return self.final and self.last <= seq


Read = Callable[[Feed, int], Batch]
"""Reads what follows the event of a number. Raises `NotFound`."""


class Feeds:
    """The feeds of one process. Its thread lives while there are some, and calls `tick` twice a second."""

    def __init__(self, read: Read, wakeups: Wakeups, tick: Callable[[], None] = lambda: None) -> None:
        self._read = read
        self._wakeups = wakeups
        self._tick = tick
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._followed: set[Feed] = set()
        self._wanted: dict[Feed, float] = {}
        """When to read which feed."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._replaying = threading.BoundedSemaphore(REPLAYS)

    def __len__(self) -> int:
        return len(self._followed)

    def join(self, tenant_id: str, execution_id: str, begin: int) -> Feed:
        """The feed of an execution; one that is new is read from the event after number `begin` on."""
        key = tenant_id, execution_id
        with self._changed:
            feed = self._feeds.get(key)
            # One that has come to its end may not know yet that the execution was opened again.
            if feed is None or feed.final:
                feed = self._feeds[key] = Feed(tenant_id, execution_id, begin)
            feed.followers += 1
            first = feed.followers == 1
            self._followed.add(feed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="event-feeds", daemon=True)
                self._thread.start()
        if first:
            self._wakeups.add(execution_id, feed, functools.partial(self.wake, feed))
            # Not before: what commits after the first reading has to be heard of.
            self.wake(feed)
        return feed

    def leave(self, feed: Feed) -> None:
        """The last follower takes its feed away."""
        with self._changed:
            feed.followers -= 1
            if feed.followers:
                return
            self._followed.discard(feed)
            self._wanted.pop(feed, None)
            key = feed.tenant_id, feed.execution_id
            if self._feeds.get(key) is feed:
                del self._feeds[key]
        self._wakeups.remove(feed.execution_id, feed)

    def wake(self, feed: Feed) -> None:
        """Has the feed read at once."""
        with self._changed:
            if feed.followers:
                self._want(feed)

    def poke(self) -> None:
        """Lets all followers look around."""
        with self._changed:
            feeds = list(self._followed)
        for feed in feeds:
            feed.poke()

    def replay(self, feed: Feed, seq: int) -> Sequence[Frame]:
        """A page of what follows number `seq`, from the store, for a follower that is behind what is kept."""
        with self._replaying:
            return self._read(feed, seq).frames

    def _want(self, feed: Feed, at: float = 0.0) -> None:
        self._wanted[feed] = min(self._wanted.get(feed, at), at)
        self._changed.notify()

    def _go_on(self) -> None:
        ticked = time.monotonic()
        while (due := self._due()) is not None:
            for feed in due:
                self._look(feed)
            if time.monotonic() - ticked >= TICK:
                ticked = time.monotonic()
                self._poll()
                self._tick()

    def _due(self) -> list[Feed] | None:
        """Waits until a feed is to be read, a tick at most; None when there is none left, and the thread ends."""
        with self._changed:
            if not self._followed:
                self._thread = None
                return None
            now = time.monotonic()
            if not any(at <= now for at in self._wanted.values()):
                self._changed.wait(TICK)
                now = time.monotonic()
            due = [feed for feed, at in self._wanted.items() if at <= now]
            for feed in due:
                del self._wanted[feed]
            return due

    def _look(self, feed: Feed) -> None:
        feed.read_at = time.monotonic()
        try:
            batch = self._read(feed, feed.last)
        except NotFound:
            batch = Batch(frames=(), final=True)
        except AISpineError as error:
            # Its followers stay: nothing is lost, and all of them coming back at once would help nobody.
            _log.warning("events.not_read", execution=feed.execution_id, code=error.code, error=error.message)
            with self._changed:
                if feed.followers:
                    self._want(feed, time.monotonic() + _TROUBLED)
            return
        except Exception:  # noqa: BLE001 - recorded; its followers come back to a new one, and the others go on.
            _log.exception("events.feed_broken", execution=feed.execution_id)
            batch = Batch(frames=(), final=True)
        feed.add(batch)
        if batch.more:
            self.wake(feed)

    def _poll(self) -> None:
        """A wake-up may have been lost."""
        oldest = time.monotonic() - self._wakeups.pause
        with self._changed:
            for feed in self._followed:
                if not feed.final and feed.read_at < oldest:
                    self._want(feed)


def follow(
    feeds: Feeds, feed: Feed, seq: int, *, keep_alive: float, going_on: Callable[[], bool]
) -> Iterator[Sequence[Frame]]:
    """Yields what follows event number `seq` as it comes; nothing after `keep_alive` seconds of silence.

    Ends after the last event, or when `going_on` says so.
    """
    spoken = time.monotonic()
    while going_on():
        found = feed.after(seq, spoken + keep_alive - time.monotonic())
        if found is None:
            found = feeds.replay(feed, seq)
            if not found:
                return
        if found:
            yield found
            seq = found[-1].seq
        elif feed.over(seq):
            return
        elif time.monotonic() - spoken >= keep_alive:
            yield ()
        else:
            continue
        spoken = time.monotonic()
