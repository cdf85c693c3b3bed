"""What an agent prints and logs, kept per attempt, however many threads run agents at once."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TextIO

LOGGER: Final = "aispine_agents"
"""Loggers of agents are children of this one, so that their INFO is kept whatever the worker's own level is."""


class Capture:
    """The text of one attempt, bounded in bytes of UTF-8; what does not fit is told by a mark at the end."""

    __slots__ = ("_left", "_limit", "_parts", "_truncated")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit
        self._parts: list[str] = []
        self._truncated = False

    def write(self, text: str) -> None:
        if self._truncated:
            return
        data = text.encode("utf-8", "replace")
        if len(data) > self._left:
            self._truncated = True
            data = data[: self._left]
        self._left -= len(data)
        self._parts.append(data.decode("utf-8", "ignore"))

    def text(self) -> str:
        """The text as PostgreSQL takes it: valid UTF-8 without NUL."""
        if not self._parts:
            return ""
        mark = f"\n[truncated after {self._limit} bytes]\n" if self._truncated else ""
        return "".join(self._parts).replace("\0", "\N{REPLACEMENT CHARACTER}") + mark


_current: ContextVar[Capture | None] = ContextVar("aispine_capture", default=None)


@contextmanager
def capturing(capture: Capture) -> Iterator[None]:
    """Everything printed or logged in this context goes to `capture`."""
    _install()
    token = _current.set(capture)
    try:
        yield
    finally:
        _current.reset(token)


class _Stream(io.TextIOBase):
    """Stands for `sys.stdout` or `sys.stderr`: an agent's text is captured, all other goes where it went before."""

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner

    @property
    def encoding(self) -> str:  # type: ignore[override] # TextIOBase says None here, before __getattr__ is asked.
        """What the stream behind it writes, by which commands choose their signs."""
        return self._inner.encoding

    def write(self, text: str) -> int:
        capture = _current.get()
        if capture is None:
            return self._inner.write(text)
        capture.write(text)
        return len(text)

    def flush(self) -> None:
        if _current.get() is None:
            self._inner.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return _current.get() is None and self._inner.isatty()

    def fileno(self) -> int:
        return self._inner.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        capture = _current.get()
        if capture is not None:
            capture.write(self.format(record) + "\n")


_handler = _Handler()
_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


def _install() -> None:
    """Looks each time: a worker or a test may have put another stream in place since."""
    if type(sys.stdout) is not _Stream and sys.stdout is not None:
        sys.stdout = _Stream(sys.stdout)
    if type(sys.stderr) is not _Stream and sys.stderr is not None:
        sys.stderr = _Stream(sys.stderr)
    if _handler not in logging.root.handlers:
        logging.root.addHandler(_handler)
        logging.getLogger(LOGGER).setLevel(logging.INFO)
