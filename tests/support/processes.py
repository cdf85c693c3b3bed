"""Programs that a test starts and that never outlive it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def program(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A running program whose output is text; killed if it still runs when the block is left."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()
