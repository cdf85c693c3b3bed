"""Values as people read them: times, durations, and text that cannot move the terminal's cursor."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_CONTROL: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(value: str) -> str:
    """The text without escape sequences and control characters, tabs and line ends apart."""
    return _CONTROL.sub("", value)


def one_line(value: Any, limit: int = 160) -> str:
    """The value on one line of at most `limit` characters."""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(printable(written).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def moment(value: str | None) -> datetime | None:
    """The time that an ISO 8601 text says."""
    return datetime.fromisoformat(value) if value else None


def clock(value: str | None) -> str:
    """The local time of day of an ISO 8601 text, to the millisecond."""
    time = moment(value)
    return time.astimezone().strftime("%H:%M:%S.%f")[:-3] if time else "-"


def local(value: str | None) -> str | None:
    """The local date and time of an ISO 8601 text, to the second."""
    time = moment(value)
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else None


def between(start: str | None, end: str | None, *, now: datetime | None = None) -> float | None:
    """The seconds from `start` to `end`, or to `now` while there is no end."""
    first, last = moment(start), moment(end) or now
    return None if first is None or last is None else max(0.0, (last - first).total_seconds())


def since(start: str | None) -> float | None:
    """The seconds since `start`."""
    return between(start, None, now=datetime.now(UTC))


def duration(seconds: float | None) -> str | None:
    """Seconds as `12 ms`, `1.2 s`, `3 m 05 s` or `2 h 07 m`."""
    if seconds is None:
        return None
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} m"


def size(count: int) -> str:
    """Bytes as `512 B`, `3.4 kB` or `1.2 GB`."""
    if count < 1000:
        return f"{count} B"
    value = count / 1000
    for unit in ("kB", "MB"):
        if value < 999.95:
            return f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def short_path(file: Path) -> str:
    """The path as it is typed in the current folder."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
