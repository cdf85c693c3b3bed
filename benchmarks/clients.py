"""Many clients at once: kept connections that do as little as they can, since they share the machine with the stack."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.stack import Stack

_CREATED: Final = range(200, 300)
_ANSWER_SECONDS: Final = 60.0


@dataclass(kw_only=True, slots=True)
class Crowd:
    """What the clients met: the ids of what they started, how long each answer took, and every refusal."""

    started: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def submit(stack: Stack, flow_id: str, *, clients: int, going_on: Callable[[], bool]) -> Crowd:
    """Each client executes the flow again and again, as long as `going_on` gives it leave for one more."""
    crowd = Crowd()
    request = json.dumps({"flow_id": flow_id, "input_data": {"value": 1}}).encode()
    threads = [
        threading.Thread(target=_submit, args=(stack, request, going_on, crowd), daemon=True) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return crowd


class Leave:
    """Leave for a number of submissions, given one by one."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0


def _submit(stack: Stack, request: bytes, going_on: Callable[[], bool], crowd: Crowd) -> None:
    headers = {"Authorization": f"Bearer {stack.api_key}", "Content-Type": "application/json"}
    with contextlib.closing(HTTPConnection(urlsplit(stack.url).netloc, timeout=_ANSWER_SECONDS)) as connection:
        while going_on():
            start = time.perf_counter()
            try:
                connection.request("POST", "/api/v1/flows/execute", request, headers)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, HTTPException) as error:
                crowd.errors.append(repr(error))
                connection.close()
                continue
            if answer.status not in _CREATED:
                crowd.errors.append(f"{answer.status} {body[:200]!r}")
                continue
            crowd.seconds.append(time.perf_counter() - start)
            found: dict[str, Any] = json.loads(body)
            crowd.started.append(found["execution_id"])
