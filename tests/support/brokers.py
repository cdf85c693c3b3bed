"""Brokers other than Redis, real servers on loopback, for the tests that run on each of them (`--broker`)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aispine.engine import transport
from aispine.errors import AISpineError
from aispine.stack.redis import HOST, free_port
from tests.support.polling import eventually

_RABBITMQ: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The server's own script: the one on the path changes to another user."""


@contextmanager
def none() -> Iterator[None]:
    """Redis is the broker, as it is when nothing else is said."""
    yield None


@contextmanager
def rabbitmq() -> Iterator[str]:
    """A RabbitMQ with a node, a folder and a port mapper of its own; all of it is gone afterwards."""
    assert _RABBITMQ.exists(), "RabbitMQ is not installed: run .ci/rabbitmq as root"
    folder = Path(tempfile.mkdtemp(prefix="aispine-rabbitmq-"))
    port, mapper = free_port(), free_port()
    url = f"amqp://guest:guest@{HOST}:{port}//"
    try:
        with _served([str(_RABBITMQ)], _rabbitmq_environment(folder, port, mapper), folder, url):
            yield url
    finally:
        # The port mapper is a daemon of its own, which outlives the server.
        subprocess.run(["epmd", "-port", str(mapper), "-kill"], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sqs() -> Iterator[str]:
    """SQS as moto's server imitates it."""
    folder = Path(tempfile.mkdtemp(prefix="aispine-sqs-"))
    port = free_port()
    url = f"sqs://key:secret@{HOST}:{port}?region=eu-west-1&secure=false&wait=1"
    try:
        with _served([sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], os.environ, folder, url):
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


BROKERS: Final[Mapping[str, Callable[[], contextlib.AbstractContextManager[str | None]]]] = {
    "redis": none,
    "rabbitmq": rabbitmq,
    "sqs": sqs,
}


def _rabbitmq_environment(folder: Path, port: int, mapper: int) -> dict[str, str]:
    (folder / "plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").touch()
    return {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": f"aispine-test-{os.getpid()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    }


@contextmanager
def _served(argv: list[str], env: Mapping[str, str], folder: Path, url: str) -> Iterator[None]:
    log = folder / "output.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )

    def answers() -> bool:
        assert server.poll() is None, f"{argv[0]} ended:\n{log.read_text()}"
        with contextlib.suppress(AISpineError):
            transport.check(transport.of(url))
            return True
        return False

    try:
        eventually(answers, 60, f"an answer from {argv[0]}")
        yield
    finally:
        _end(server)


def _end(server: subprocess.Popen[Any]) -> None:
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
