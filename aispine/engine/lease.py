"""Leases: a process renews exactly the nodes that it runs, so that the death of one is seen within seconds."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psutil

from aispine import logs
from aispine.errors import StoreUnavailable
from aispine.store import call_slots, leases
from aispine.store.database import Store

_log = logs.get(__name__)


def owner(pid: int | None = None) -> str:
    """Names a process for good, this one where None: host, pid and start time, since pids are used again."""
    started = int(psutil.Process(pid).create_time() * 1000)
    return f"{socket.gethostname()}:{pid or os.getpid()}:{started:x}"


class Leases:
    """The nodes that this process runs now; a thread renews their leases together.

    `let_go` is told the execution, the path and the number of an attempt that is not this process's any more: it was
    cancelled, its time is over, or the node was given to another.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        lease: float,
        heartbeat: float,
        let_go: Callable[[str, str, int], object] = lambda _execution_id, _path, _attempt: None,
    ) -> None:
        self._store = store
        self._owner = name
        self._lease = lease
        self._let_go = let_go
        self._heartbeat: Final = heartbeat
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str, int], float] = {}
        self._slots = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, execution_id: str, path: str, attempt: int) -> Iterator[None]:
        """Renews the lease of one attempt while the block runs."""
        key = (execution_id, path, attempt)
        with self._lock:
            self._held[key] = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew_for_ever, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(key, None)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Renews the lease of a call slot while the block runs, whatever becomes of the node meanwhile."""
        with self._lock:
            self._slots += 1
        try:
            yield
        finally:
            with self._lock:
                self._slots -= 1

    def renew(self) -> None:
        """Renews what has been held for some time; a node that ended at once needs no second statement."""
        if self._slots:
            call_slots.renew(self._store, self._owner, self._lease)
        young = time.monotonic() - self._heartbeat / 2
        with self._lock:
            keys = [key for key, since in self._held.items() if since <= young]
        if not keys:
            return
        for key in leases.renew(self._store, keys, owner=self._owner, lease=self._lease):
            with self._lock:
                running = self._held.pop(key, None) is not None
            if running:
                self._let_go(*key)

    def _renew_for_ever(self) -> None:
        while True:
            time.sleep(self._heartbeat)
            try:
                self.renew()
            except StoreUnavailable as error:
                _log.warning("leases.not_renewed", error=str(error))
