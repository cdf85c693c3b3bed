"""Messages that get lost on the way, come twice, or come late."""

from __future__ import annotations

import copy
import json
import os
import random
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Final

from kombu.transport.redis import Channel

from aispine.engine.broker import QUEUES
from benchmarks.chaos import ledger

DROP: Final = "CHAOS_DROP"
DOUBLE: Final = "CHAOS_DOUBLE"
"""Both are shares of all messages."""
_LATEST: Final = 3.0


def install() -> None:
    """Lays hands on what this process and its children publish."""
    drop, double = (float(os.environ.get(name, "0")) for name in (DROP, DOUBLE))
    if drop or double:
        setattr(Channel, "_put", _tampering(Channel._put, drop, double))  # noqa: B010, SLF001 - kombu has no types


def _tampering(put: Any, drop: float, double: float) -> Any:
    dice = _Dice()

    def tamper(channel: Any, queue: str, message: Mapping[str, Any], **options: Any) -> None:
        chance = dice.roll() if queue in QUEUES else 1.0
        if chance < drop:
            ledger.note("dropped", of=_of(message))
            return
        put(channel, queue, message, **options)
        if chance < drop + double:
            ledger.note("doubled", of=_of(message))
            late = threading.Timer(dice.roll() * _LATEST, put, (channel, queue, _twin(message)))
            late.daemon = True
            late.start()

    return tamper


class _Dice:
    """A generator of each process's own: forked children would all roll the same otherwise."""

    def __init__(self) -> None:
        self._pid = 0
        self._random = random.Random()

    def roll(self) -> float:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._random = random.Random(f"{os.environ.get('CHAOS_SEED')}:{self._pid}")
        return self._random.random()


def _of(message: Mapping[str, Any]) -> str:
    """What the message starts, as Celery shows it: the execution and the path."""
    return str(message["headers"].get("argsrepr"))


def _twin(message: Mapping[str, Any]) -> dict[str, Any]:
    """The same message as another delivery: what acknowledges one says nothing of the other."""
    twin: dict[str, Any] = copy.deepcopy(json.loads(json.dumps(message)))
    twin["properties"]["delivery_tag"] = str(uuid.uuid4())
    return twin
