"""celery-director: workflows of a YAML file on Celery workers, started and looked at over its API.

Its last task of each workflow sleeps half a second before the workflow counts as done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from benchmarks.peers.programs.talk import talk

_HOME: Final = Path(os.environ["DIRECTOR_HOME"])
_PORT: Final = os.environ["PEER_PORT"]
_API: Final = f"http://127.0.0.1:{_PORT}/api"
_SIZE: Final = 40
_LOOK_SECONDS: Final = 0.01
_START_SECONDS: Final = 60.0
_RUN_SECONDS: Final = 60.0
_TASKS: Final = """from director import task


@task(name="ECHO")
def echo(*args, **kwargs):
    return 1
"""


def main() -> None:
    """Makes the project, its tables, and starts its web process and its worker."""
    (_HOME / "tasks").mkdir(parents=True, exist_ok=True)
    (_HOME / "tasks" / "__init__.py").touch()
    (_HOME / "tasks" / "echo.py").write_text(_TASKS, "utf-8")
    # JSON is YAML.
    (_HOME / "workflows.yml").write_text(json.dumps(_workflows()), "utf-8")
    director = str(Path(sys.executable).parent / "director")
    subprocess.run([director, "db", "upgrade"], check=True, stdout=sys.stderr)
    web = [director, "webserver", "--bind", f"127.0.0.1:{_PORT}", "--threads", "4"]
    worker = [director, "celery", "worker", "--concurrency", "2", "--loglevel", "ERROR"]
    with _running(web), _running(worker):
        _await_answer()
        talk("celery-director", {"chain": lambda _: _run("CHAIN"), "fan": lambda _: _run("FAN")})


def _workflows() -> dict[str, Any]:
    fan = [{"WIDE": {"type": "group", "tasks": ["ECHO"] * _SIZE}}, "ECHO"]
    return {"bench.CHAIN": {"tasks": ["ECHO"] * _SIZE}, "bench.FAN": {"tasks": fan}}


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _await_answer() -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _ask("/workflows")
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return


def _run(name: str) -> None:
    started = _ask("/workflows", {"project": "bench", "name": name, "payload": {}})
    deadline = time.monotonic() + _RUN_SECONDS
    while (status := _ask(f"/workflows/{started['id']}")["status"]) != "success":
        if status == "error" or time.monotonic() > deadline:
            raise RuntimeError(f"{name} is {status}")
        time.sleep(_LOOK_SECONDS)


def _ask(path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(_API + path, data, {"Content-Type": "application/json"})
    with urlopen(request, timeout=_RUN_SECONDS) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
