"""`python -m benchmarks.chaos.up`: `aispine up` with the campaign's Procfile, and little patience between restarts."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from aispine import settings
from aispine.errors import AISpineError
from aispine.stack import supervisor
from aispine.stack.up import up

PATIENT = "CHAOS_PATIENT"
"""Where set, what dies is started again after the product's own delay."""
PROCFILE = Path(__file__).with_name("Procfile")


def main() -> int:
    if not os.environ.get(PATIENT):
        # The same program is killed every few seconds here; the product would wait longer each time.
        supervisor.Backoff = functools.partial(supervisor.Backoff, first=0.5, ceiling=0.5)  # type: ignore[assignment,misc] # the campaign's own
    try:
        up(settings.load(stack=False), flower=False, say=print, path=PROCFILE)
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
