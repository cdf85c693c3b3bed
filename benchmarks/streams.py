"""Rows about event streams: many followers on one web process while executions go on.

Also `python -m benchmarks.streams`.
"""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlsplit

import psutil
import requests

from aispine.errors import StackError
from aispine.stack.ledger import FILE
from benchmarks import clients, context, flows
from benchmarks.context import Bench
from benchmarks.row import Row, seconds
from benchmarks.stack import Stack

EXECUTIONS: Final = 50
FOLLOWERS: Final = 10
RATE: Final = 50.0
"""Events per second, of all executions together."""
_SECONDS: Final = 20.0
_STARTS_APART: Final = 0.2
_OPEN_SECONDS: Final = 60.0
_REST_SECONDS: Final = 5.0
_SIGNALLERS: Final = 4
_CHUNK: Final = 262_144
_EVENT: Final = re.compile(rb"^data: (\{.*\})$", re.MULTILINE)


def followed(bench: Bench) -> Iterator[Row]:
    """Fifty executions that each get a signal a second, followed by ten streams each, while others are started."""
    bench.driver.deploy(flows.held())
    bench.driver.deploy(flows.one())
    bench.driver.run(flows.ONE)
    held = [bench.driver.submit(flows.HELD) for _ in range(EXECUTIONS)]
    web = _web(bench.stack)
    before = _megabytes(web)
    name = f"{EXECUTIONS * FOLLOWERS} event streams of {EXECUTIONS} executions"
    with ExitStack() as resources:
        followers = resources.enter_context(Followers(bench.stack, held * FOLLOWERS))
        idle = _share(web, _REST_SECONDS)
        memory = _megabytes(web) - before
        sent, starts, share = _traffic(bench.stack, held, web)
        readers = _figure(bench.stack, "event_stream_readers")
        followers.await_all(len(sent) * FOLLOWERS)
        yield from _rows(name, followers.late(), sent, starts, readers)
        for execution_id in held:
            bench.driver.cancel(execution_id)
        ended = followers.await_ends()
    yield Row(name=f"{name}, ended with their execution", unit="", value=ended, bar=EXECUTIONS * FOLLOWERS)
    yield Row(name=f"{name}, memory of the web process for each", unit="MB", value=memory / (EXECUTIONS * FOLLOWERS))
    yield Row(name=f"{name}, of one core while nothing happens", unit="%", value=100 * idle)
    yield Row(name=f"{name}, of one core meanwhile", unit="%", value=100 * share)


def _rows(name: str, late: list[float], sent: list[float], starts: list[float], readers: float) -> Iterator[Row]:
    yield seconds(f"{name}, event to each of its streams, p95", late, 0.95, bar=0.25)
    yield seconds(f"{name}, POST of a signal meanwhile, p95", sent, 0.95, bar=0.1)
    yield seconds(f"{name}, POST of an execution meanwhile, p95", starts, 0.95, bar=0.1)
    yield Row(name=f"{name}, readers for each execution", unit="x", value=readers / EXECUTIONS, bar=1.0)
    yield Row(name=f"{name}, events per second", unit="/s", value=len(sent) / _SECONDS, bar=RATE * 0.95)


class Followers:
    """Clients that each follow an execution, all on one thread."""

    def __init__(self, stack: Stack, execution_ids: Sequence[str]) -> None:
        self._stack = stack
        self._ids = execution_ids
        self._selector = selectors.DefaultSelector()
        self._ended = 0
        self._late: list[float] = []
        self._broken: OSError | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read_for_ever, daemon=True)

    def __enter__(self) -> Followers:
        try:
            for execution_id in self._ids:
                self._open(execution_id)
        except BaseException:
            self._close()
            raise
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._close()

    def _open(self, execution_id: str) -> None:
        opened = socket.create_connection(_place(self._stack), _OPEN_SECONDS)
        self._selector.register(opened, selectors.EVENT_READ, bytearray())
        head = f"GET /api/v1/executions/{execution_id}/stream HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
        opened.sendall(f"{head}Authorization: Bearer {self._stack.api_key}\r\n\r\n".encode())
        answer = opened.recv(_CHUNK)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise StackError(f"a stream was refused: {answer[:200]!r}")
        opened.settimeout(0)

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # sockets alone are in there
        self._selector.close()

    def late(self) -> list[float]:
        """Seconds from the recording of each signal to its arrival, at each stream."""
        return list(self._late)

    def await_all(self, count: int) -> None:
        """Raises `StackError` unless so many signals arrive, all streams together."""
        _await(lambda: len(self._late) >= count or self._broken is not None, f"{count} events at the streams")
        if self._broken is not None:
            raise StackError(f"a stream broke off: {self._broken}")
        if len(self._late) != count:
            raise StackError(f"{len(self._late)} events came instead of {count}")

    def await_ends(self) -> int:
        """How many streams have ended by themselves, at the latest after a while."""
        _await(lambda: self._ended == len(self._ids), f"the end of {len(self._ids)} streams")
        return self._ended

    def _read_for_ever(self) -> None:
        while not self._stopped.is_set() and self._broken is None:
            for key, _ in self._selector.select(0.1):
                try:
                    self._read(key)
                except OSError as error:
                    self._broken = error

    def _read(self, key: selectors.SelectorKey) -> None:
        connection: socket.socket = key.fileobj  # type: ignore[assignment]  # as above
        now, piece = time.time(), connection.recv(_CHUNK)
        key.data.extend(piece)
        if not piece:
            self._selector.unregister(connection)
            connection.close()
            self._ended += 1
            return
        whole, _, rest = bytes(key.data).rpartition(b"\n\n")
        key.data[:] = rest
        for found in _EVENT.findall(whole):
            event = json.loads(found)
            if event["type"] == "signal.received":
                self._late.append(now - datetime.fromisoformat(event["created_at"]).timestamp())


def _traffic(stack: Stack, held: Sequence[str], web: psutil.Process) -> tuple[list[float], list[float], float]:
    """Sends signals at the rate, and starts others.

    Returns how long each took, in seconds, and the web process's share of a core.
    """
    until = time.monotonic() + _SECONDS
    used = sum(web.cpu_times()[:2])
    with ThreadPoolExecutor(_SIGNALLERS) as pool:
        tasks = [pool.submit(_signal, stack, held[place::_SIGNALLERS], until) for place in range(_SIGNALLERS)]
        crowd = clients.submit(stack, flows.ONE, clients=1, going_on=_Now(until))
    sent = [each for task in tasks for each in task.result()]
    share = (sum(web.cpu_times()[:2]) - used) / _SECONDS
    if crowd.errors:
        raise StackError(f"{len(crowd.errors)} executions were refused, first: {crowd.errors[0]}")
    return sent, crowd.seconds, share


class _Now:
    """Leave to start another one, from time to time."""

    def __init__(self, until: float) -> None:
        self._until = until

    def __call__(self) -> bool:
        time.sleep(_STARTS_APART)
        return time.monotonic() < self._until


def _signal(stack: Stack, held: Sequence[str], until: float) -> list[float]:
    """One client's part of the signals; returns how long each took."""
    headers = {"Authorization": f"Bearer {stack.api_key}", "Content-Type": "application/json"}
    due, sent = time.monotonic(), list[float]()
    with contextlib.closing(HTTPConnection(urlsplit(stack.url).netloc, timeout=_OPEN_SECONDS)) as connection:
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            start = time.perf_counter()
            execution_id = held[len(sent) % len(held)]
            connection.request("POST", f"/api/v1/executions/{execution_id}/signals/tick", b"1", headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status >= 300:
                raise StackError(f"a signal was answered {answer.status}: {said[:200]!r}")
            sent.append(time.perf_counter() - start)
            due += _SIGNALLERS / RATE
    return sent


def _place(stack: Stack) -> tuple[str, int]:
    found = urlsplit(stack.url)
    return str(found.hostname), int(found.port or 80)


def _figure(stack: Stack, name: str) -> float:
    """A gauge that the web process shows of itself."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    text = requests.get(f"{stack.url}/metrics", headers=headers, timeout=_OPEN_SECONDS).text
    found = re.search(rf"^aispine_{name} (\S+)$", text, re.MULTILINE)
    if found is None:
        raise StackError(f"/metrics does not say aispine_{name}")
    return float(found[1])


def _web(stack: Stack) -> psutil.Process:
    """The process that serves requests: gunicorn's only child."""
    entries = json.loads((stack.home / FILE).read_text("utf-8"))
    master = next(psutil.Process(int(entry["pid"])) for entry in entries if entry["name"] == "web")
    return master.children()[0]


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _share(process: psutil.Process, seconds_: float) -> float:
    used = sum(process.cpu_times()[:2])
    time.sleep(seconds_)
    return float(sum(process.cpu_times()[:2]) - used) / seconds_


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _OPEN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(f"{what} did not come")
        time.sleep(0.05)


def _shown(row: Row) -> Row:
    print(json.dumps(row.as_json()), flush=True)
    return row


def main() -> int:
    """Measures on a stack of its own and prints each row; returns the exit code."""
    with context.running({}) as bench:
        rows = [_shown(row) for row in followed(bench)]
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
