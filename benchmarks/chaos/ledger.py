"""Files to which many processes append lines, each whole; what the agents and the faults write down."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

CALLS: Final = "CHAOS_LEDGER"
"""Where the agents write each call."""
FAULTS: Final = "CHAOS_FAULTS"
"""Where the harness writes what it does to messages."""


def note(kind: str, **values: Any) -> None:
    """Appends a fault to the file that the environment names."""
    line = json.dumps({"kind": kind, "at": time.time(), **values}) + "\n"
    descriptor = os.open(os.environ[FAULTS], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read(path: Path) -> list[Mapping[str, Any]]:
    """Every line so far; none when nobody wrote yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
