"""The clients of open streams: who has gone is noticed at once, who does not read is left after a while."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterable
from typing import Final

PATIENCE: Final = 30.0
"""Seconds for which a client may leave what it is sent unread; it comes back with its Last-Event-ID."""
_GONE: Final = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class Client:
    """The other end of one stream; without a socket nothing is known of it."""

    def __init__(self, connection: socket.socket | None = None) -> None:
        self.gone = False
        self.connection = connection
        self._sending_since: float | None = None

    def sending(self) -> None:
        """Tells that something is being sent from now on."""
        self._sending_since = time.monotonic()

    def sent(self) -> None:
        """Tells that it was taken."""
        self._sending_since = None

    def stuck(self, patience: float) -> bool:
        since = self._sending_since
        return since is not None and time.monotonic() - since > patience

    def leave(self) -> None:
        """Ends the connection; who is sending to it, in another thread, sees that it is broken."""
        self.gone = True
        if self.connection is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


class Clients:
    """All clients of one process."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, client: Client) -> None:
        with self._lock:
            self._clients.add(client)

    def remove(self, client: Client) -> None:
        with self._lock:
            self._clients.discard(client)

    def look(self, patience: float = PATIENCE) -> bool:
        """Leaves those that do not read and marks those that have gone; True when one has."""
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            if client.stuck(patience):
                client.leave()
        found = _hung_up(clients)
        for client in found:
            client.gone = True
        return bool(found)


def _hung_up(clients: Iterable[Client]) -> list[Client]:
    poll, by_file = select.poll(), {}
    for client in clients:
        file = -1 if client.connection is None else client.connection.fileno()
        if file >= 0 and not client.gone:
            by_file[file] = client
            poll.register(file, _GONE)
    return [by_file[file] for file, _ in poll.poll(0)]
