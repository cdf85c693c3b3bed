"""Server-sent events: an execution's log, replayed and then live.

A stream holds a thread for as long as it lasts. So the process has one thread for each stream that it allows, beside
those of the API, and refuses the stream beyond that: streams never keep other requests waiting.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response

from aispine import logs
from aispine.engine import views
from aispine.errors import AISpineError, Unavailable
from aispine.events import log
from aispine.events.log import LoggedEvent
from aispine.events.wakeups import Subscription, Wakeups
from aispine.store.database import Store
from api.schemas import EventSchema

RECONNECT_MILLISECONDS: Final = 2000
KEEP_ALIVE_FRAME: Final = ": keep-alive\n\n"
_HEADERS: Final = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache"}

Reader = Callable[[int], tuple[LoggedEvent, ...]]

_log = logs.get(__name__)
_event: Final = EventSchema()


class Streams:
    """The open streams of one process; `going_on` turns false when the process is asked to stop."""

    def __init__(self, store: Store, wakeups: Wakeups, *, limit: int) -> None:
        self.going_on: Callable[[], bool] = lambda: True
        self._store = store
        self._wakeups = wakeups
        self._free = threading.BoundedSemaphore(limit)

    def open(
        self,
        tenant_id: str,
        execution_id: str,
        after: int,
        *,
        sensitive: bool = False,
        keep_alive: float = log.KEEP_ALIVE,
    ) -> Response:
        """The events after number `after`. Raises `Unavailable` when too many streams are open."""
        if not self._free.acquire(blocking=False):
            raise Unavailable("Too many streams are open", hint="Try again soon, or ask `/events` from time to time.")
        subscription = self._wakeups.add(execution_id)
        read = self._reader(tenant_id, execution_id, sensitive)
        frames = self._frames(tenant_id, subscription, after, keep_alive, read)
        response = Response(frames, content_type="text/event-stream", headers=_HEADERS)
        # Called even when nothing was read from the stream, which would leave a generator's own cleanup undone.
        response.call_on_close(lambda: self._close(subscription))
        return response

    def _close(self, subscription: Subscription) -> None:
        self._wakeups.remove(subscription)
        self._free.release()

    def _reader(self, tenant_id: str, execution_id: str, sensitive: bool) -> Reader:
        def read(seq: int) -> tuple[LoggedEvent, ...]:
            with self._store.session(tenant_id) as session:
                return views.events_after(session, execution_id, seq, log.PAGE, sensitive=sensitive)

        return read

    def _frames(
        self, tenant_id: str, subscription: Subscription, after: int, keep_alive: float, read: Reader
    ) -> Iterator[str]:
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
        execution_id = subscription.execution_id
        seen = after
        try:
            for event in log.follow(read, subscription, after, keep_alive=keep_alive, going_on=self.going_on):
                if event is not None:
                    seen = event.seq
                    yield frame(event)
                elif self._over(tenant_id, execution_id, seen):
                    return
                else:
                    yield KEEP_ALIVE_FRAME
        except AISpineError as error:
            # The head of the answer is sent already; the client comes back with its Last-Event-ID.
            _log.warning("http.stream_broken", execution=execution_id, code=error.code, error=error.message)

    def _over(self, tenant_id: str, execution_id: str, seen: int) -> bool:
        with self._store.session(tenant_id) as session:
            return not views.has_more(session, execution_id, seen)


def frame(event: LoggedEvent) -> str:
    """One event as the protocol writes it."""
    return f"id: {event.seq}\nevent: {event.type}\ndata: {json.dumps(_event.dump(event))}\n\n"
