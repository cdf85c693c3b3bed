"""How many files and connections a process may have open: as many as the system lets it, not the few of a shell."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

PLENTY: Final = 65_536


def allow(count: int = PLENTY) -> int:
    """Raises this process's own limit to `count`, or to what it may be raised to; returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # Some systems have a lower limit that they do not tell.
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
