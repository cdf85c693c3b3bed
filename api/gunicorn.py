"""The settings of gunicorn: one process, a thread for each request and each event stream."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from aispine import logs, memory, settings
from aispine.stack import open_files
from aispine.stack.process import READY

_settings = settings.current()
if _settings.web_database_url is None:
    sys.exit("AISPINE_WEB_DATABASE_URL is not set and no local stack runs. Start one with `aispine up`.")
open_files.allow()
_shared_memory = Path("/dev/shm")  # noqa: S108  # The heartbeat file of gunicorn, which makes it unique itself.

_socket = os.environ.get("AISPINE_WEB_SOCKET")
# `aispine up` holds the socket itself: connections wait for the next process while there is none.
bind = f"fd://{_socket}" if _socket else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1
threads = _settings.web_threads + _settings.web_streams
# Connections that are kept open between requests take no thread.
worker_connections = threads + 1000
preload_app = False
timeout = 60
graceful_timeout = 10
keepalive = 75
worker_tmp_dir = str(_shared_memory) if _shared_memory.is_dir() else None
control_socket_disable = True
accesslog = None
errorlog = "-"
proc_name = "aispine-web"


class logger_class(Logger):  # type: ignore[misc]  # noqa: N801 - gunicorn has no types, and the name is its setting's.
    """Takes over the log of gunicorn's master process, from its first line on."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        logs.configure(_settings)


def post_worker_init(worker: Any) -> None:
    """Lets open streams end when the worker is told to stop; their clients come back to the next one."""
    streams = worker.wsgi.extensions["aispine"].streams
    streams.going_on = lambda: worker.alive
    memory.give_back()
    _tell_ready()


def _tell_ready() -> None:
    """Says that this process serves, so that the one whose place it takes may end; told once, by the first worker."""
    told = os.environ.pop(READY, None)
    if told is not None:
        with contextlib.suppress(OSError):  # Nobody listens any more.
            os.write(int(told), b"1")
