"""What the supervised programs print: prefixed by their names for people, one JSON object a line for machines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Final, Protocol, TextIO

OURS: Final = "up"
_COLOURS: Final = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_WIDTH: Final = 10


class Output(Protocol):
    def line(self, name: str, text: str) -> None:
        """Shows one line of the program `name`."""


class ConsoleOutput:
    """`name | line`, with a colour for each name on a terminal."""

    def __init__(self, stream: TextIO, *, coloured: bool) -> None:
        self._stream = stream
        self._coloured = coloured
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{_WIDTH}} |"
        if self._coloured:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        _write(self._stream, f"{prefix} {text}\n")


class JsonOutput:
    """Hands JSON lines through and wraps what is none, such as what a program prints before it configures its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def line(self, name: str, text: str) -> None:
        if text.strip():
            _write(self._stream, (text if _is_json(text) else _wrapped(name, text)) + "\n")


def choose(log_format: str, stream: TextIO | None = None) -> Output:
    """The output that a log format asks for; `auto` is for people when the stream is a terminal."""
    stream = stream or sys.stderr
    if resolve(log_format, stream) == "console":
        return ConsoleOutput(stream, coloured=stream.isatty())
    return JsonOutput(stream)


def resolve(log_format: str, stream: TextIO) -> str:
    """`console` or `json`, also where the setting says `auto`."""
    if log_format != "auto":
        return log_format
    return "console" if stream.isatty() else "json"


def _is_json(text: str) -> bool:
    try:
        return text.startswith("{") and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _wrapped(name: str, text: str) -> str:
    return json.dumps({"time": datetime.now(UTC).isoformat(), "level": "info", "process": name, "event": text})


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):  # Nobody reads any more, or the disk is full; the stack goes on.
        return
