"""The words of a model on their way to who watches: gathered for a moment, since each batch is an event."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aispine import logs
from aispine.errors import AISpineError

EVERY: Final = 0.25
"""Seconds for which words are gathered."""

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Some words of one turn; `step` counts the turns of an attempt from 1."""

    step: int
    model: str
    text: str


class Teller:
    """Gathers the words of one turn and tells them from time to time."""

    def __init__(self, tell: Callable[[Words], None], step: int, model: str) -> None:
        self._tell = tell
        self._step = step
        self._model = model
        self._gathered: list[str] = []
        self._since = time.monotonic()

    def __call__(self, text: str) -> None:
        self._gathered.append(text)
        if time.monotonic() - self._since >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Tells what is gathered; what cannot be told now goes with what comes next."""
        self._since = time.monotonic()
        if not self._gathered:
            return
        try:
            self._tell(Words(step=self._step, model=self._model, text="".join(self._gathered)))
        except AISpineError as error:
            _log.warning("llm.words_not_told", error=str(error))
        else:
            self._gathered.clear()
