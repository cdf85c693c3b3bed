"""Asks for `/health` again and again from a process of its own, so that no client's work is taken for the stack's."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aispine.errors import StackError
from benchmarks.stack import Stack, environment

_ROOT: Final = Path(__file__).resolve().parent.parent
_APART: Final = 0.02
_ANSWER_SECONDS: Final = 30.0


class Probe:
    """A running prober."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def end(self) -> list[float]:
        """Stops it; returns the seconds that each answer took."""
        output, _ = self._process.communicate("\n", timeout=_ANSWER_SECONDS)
        if self._process.returncode != 0:
            raise StackError("/health did not answer")
        return [float(each) for each in json.loads(output)]


@contextmanager
def probing(stack: Stack) -> Iterator[Probe]:
    """Yields a prober that runs."""
    command = [sys.executable, "-m", "benchmarks.prober", stack.url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=_ROOT, env=environment(), text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            if process.stdout.readline() == "":
                raise StackError("the prober of /health did not start")
            yield Probe(process)
        finally:
            process.kill()


def _probe(url: str) -> None:
    over = threading.Event()
    threading.Thread(target=_await_line, args=(over,), daemon=True).start()
    connection = HTTPConnection(urlsplit(url).netloc, timeout=_ANSWER_SECONDS)
    found: list[float] = []
    print("ready", flush=True)
    while not over.is_set():
        start = time.perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        if answer.status != HTTPStatus.OK:
            sys.exit(f"/health answered {answer.status}")
        found.append(time.perf_counter() - start)
        over.wait(_APART)
    print(json.dumps(found))


def _await_line(over: threading.Event) -> None:
    sys.stdin.readline()
    over.set()


if __name__ == "__main__":
    _probe(sys.argv[1])
