"""Server-sent events: an execution's log, replayed and then live.

A stream holds a thread for as long as it lasts, which sleeps until there is something to send. So the process has one
thread for each stream that it allows, beside those of the API, and refuses the stream beyond that: streams never keep
other requests waiting. Nor do they take their connections: one thread reads the log for all streams of an execution.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final

from flask import Response

from aispine import logs
from aispine.engine import views
from aispine.errors import AISpineError, Unavailable
from aispine.events import log
from aispine.events.feed import Batch, Feed, Feeds, Frame, follow
from aispine.events.log import LoggedEvent
from aispine.events.wakeups import Wakeups
from aispine.store.database import Store
from api import clients
from api.clients import Client, Clients
from api.schemas import EventSchema

KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which a stream says that it is still there."""
READERS: Final = 3
"""Connections to the store: one for what is live, the others for what is replayed."""
RECONNECT_MILLISECONDS: Final = 2000
KEEP_ALIVE_FRAME: Final = b": keep-alive\n\n"
_HEAD: Final = b"retry: %d\n\n" % RECONNECT_MILLISECONDS
_LAST_PATIENCE: Final = 2.0
"""Seconds for a client that does not read when the process is to stop."""
_HEADERS: Final = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache"}

_log = logs.get(__name__)
_event: Final = EventSchema()


class Streams:
    """The open streams of one process; `going_on` turns false when the process is asked to stop."""

    def __init__(self, store: Store, wakeups: Wakeups, *, limit: int, patience: float = clients.PATIENCE) -> None:
        self.going_on: Callable[[], bool] = lambda: True
        self.reads = 0
        """How often the store was asked for events."""
        self._store = store
        self._patience = patience
        self._feeds = Feeds(self._read, wakeups, self._look_around)
        self._clients = Clients()
        self._free = threading.BoundedSemaphore(limit)

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    @property
    def readers(self) -> int:
        """How many executions are read: one reader each, however many streams follow it."""
        return len(self._feeds)

    def open(
        self,
        tenant_id: str,
        execution_id: str,
        after: int,
        *,
        sensitive: bool = False,
        keep_alive: float = KEEP_ALIVE,
        connection: socket.socket | None = None,
    ) -> Response:
        """The events after number `after`; 204 when none will follow. `connection` is the client's.

        Raises `NotFound`, and `Unavailable` when too many streams are open.
        """
        with self._store.session(tenant_id) as session:
            last, final = views.log_end(session, execution_id)
        if final and last <= after:
            return Response(status=HTTPStatus.NO_CONTENT)
        if not self._free.acquire(blocking=False):
            raise Unavailable("Too many streams are open", hint="Try again soon, or ask `/events` from time to time.")
        feed = self._feeds.join(tenant_id, execution_id, max(min(after, last), last - log.PAGE))
        client = Client(connection)
        self._clients.add(client)
        pieces = self._pieces(feed, client, after, keep_alive, sensitive)
        response = Response(pieces, content_type="text/event-stream", headers=_HEADERS)
        # Called even when nothing was read from the stream, which would leave a generator's own cleanup undone.
        response.call_on_close(lambda: self._close(feed, client))
        return response

    def _close(self, feed: Feed, client: Client) -> None:
        self._clients.remove(client)
        self._feeds.leave(feed)
        self._free.release()

    def _pieces(self, feed: Feed, client: Client, after: int, keep_alive: float, sensitive: bool) -> Iterator[bytes]:
        """What is sent, in the pieces in which it is sent."""
        for piece in self._written(feed, client, after, keep_alive, sensitive):
            client.sending()
            yield piece
            client.sent()

    def _written(self, feed: Feed, client: Client, after: int, keep_alive: float, sensitive: bool) -> Iterator[bytes]:
        yield _HEAD

        def going_on() -> bool:
            return self.going_on() and not client.gone

        try:
            for frames in follow(self._feeds, feed, after, keep_alive=keep_alive, going_on=going_on):
                yield b"".join(each.plain if sensitive else each.masked for each in frames) or KEEP_ALIVE_FRAME
        except AISpineError as error:
            # The head of the answer is sent already; the client comes back with its Last-Event-ID.
            _log.warning("http.stream_broken", execution=feed.execution_id, code=error.code, error=error.message)

    def _read(self, feed: Feed, seq: int) -> Batch:
        self.reads += 1
        with self._store.session(feed.tenant_id) as session:
            found, hidden = views.log_after(session, feed.execution_id, seq, log.PAGE, plain=feed.plain)
            if not found:
                last, final = views.log_end(session, feed.execution_id)
                return Batch(frames=(), final=final and last <= seq)
        more = len(found) == log.PAGE
        feed.plain = hidden.never
        frames = [_framed(hidden.event(event), event) for event in found]
        return Batch(frames=frames, final=found[-1].terminal and not more, more=more)

    def _look_around(self) -> None:
        """Sees to clients that are gone or do not read, and to the end of the process, where nobody waits."""
        going_on = self.going_on()
        if self._clients.look(self._patience if going_on else _LAST_PATIENCE) or not going_on:
            self._feeds.poke()


def _framed(masked: LoggedEvent, plain: LoggedEvent) -> Frame:
    shown = frame(masked)
    return Frame(seq=plain.seq, masked=shown, plain=shown if plain is masked else frame(plain))


def frame(event: LoggedEvent) -> bytes:
    """One event as the protocol writes it."""
    return f"id: {event.seq}\nevent: {event.type}\ndata: {json.dumps(_event.dump(event))}\n\n".encode()
