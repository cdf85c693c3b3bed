"""The others, each with the servers that its documentation recommends: PostgreSQL and Redis are those of our stack."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

from sqlalchemy import create_engine, make_url

from aispine.errors import StackError
from aispine.stack.redis import free_port
from benchmarks.peers.peer import Peer
from benchmarks.stack import Stack

_SERVER_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.2
_STOP_SECONDS: Final = 20


def _database(stack: Stack, name: str, driver: str) -> str:
    """A new database on the stack's server; returns its URL."""
    engine = create_engine(stack.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    url = make_url(stack.database_url).set(drivername=driver, database=name)
    return url.render_as_string(hide_password=False)


def _redis(stack: Stack, number: int) -> str:
    return urlunsplit(urlsplit(stack.redis_url)._replace(path=f"/{number}"))


def _dbos(stack: Stack, _folder: Path) -> Mapping[str, str]:
    return {"PEER_DATABASE_URL": _database(stack, "peer_dbos", "postgresql")}


def _prefect(_stack: Stack, folder: Path) -> Mapping[str, str]:
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _dagster(_stack: Stack, folder: Path) -> Mapping[str, str]:
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", "utf-8")
    return {"DAGSTER_HOME": str(folder), "PYTHONWARNINGS": "ignore", "DAGSTER_DISABLE_TELEMETRY": "1"}


def _director(stack: Stack, folder: Path) -> Mapping[str, str]:
    return {
        "DIRECTOR_HOME": str(folder / "project"),
        "DIRECTOR_DATABASE_URI": _database(stack, "peer_director", "postgresql"),
        "DIRECTOR_BROKER_URI": _redis(stack, 14),
        "DIRECTOR_RESULT_BACKEND_URI": _redis(stack, 15),
        "PEER_PORT": str(free_port()),
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def _prefect_server(python: Path, settings: Mapping[str, str]) -> Iterator[None]:
    api = settings["PREFECT_API_URL"]
    command = [str(python.parent / "prefect"), "server", "start", "--host", "127.0.0.1"]
    with (Path(settings["PREFECT_HOME"]) / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(urlsplit(api).port)],
            env=dict(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _await_answer(f"{api}/health", process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SERVER_SECONDS
    while True:
        try:
            with urlopen(url, timeout=_SERVER_SECONDS):
                return
        except (URLError, OSError) as error:
            if time.monotonic() > deadline or process.poll() is not None:
                raise StackError(f"{url} does not answer: {error}") from error
            time.sleep(_LOOK_SECONDS)


PEERS: Final = (
    Peer(name="DBOS", program="dbos", requirement="dbos>=3,<4", settings=_dbos, bars={"chain": 0.8, "fan": 1.0}),
    Peer(name="Prefect", program="prefect", requirement="prefect>=3,<4", settings=_prefect, helper=_prefect_server),
    Peer(name="Dagster", program="dagster", requirement="dagster>=1.10,<2", settings=_dagster),
    Peer(
        name="celery-director",
        program="director",
        requirement="celery-director>=0.10,<0.11",
        settings=_director,
    ),
)
