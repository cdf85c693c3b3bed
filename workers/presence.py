"""What a process says of itself in the table of workers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from socket import gethostname

import psutil

import aispine
from aispine.engine import lease
from aispine.store.workers import Presence


def of_this_process(name: str, pool: str) -> Presence:
    """What there is to say of any process."""
    return Presence(
        worker_id=lease.owner(),
        name=name,
        host=gethostname(),
        pid=os.getpid(),
        pool=pool,
        started_at=datetime.fromtimestamp(psutil.Process().create_time(), UTC),
        version=aispine.__version__,
        processes=(os.getpid(),),
    )
