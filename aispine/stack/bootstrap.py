"""Migrations, first objects and the agents in folders, in a process of their own: so `up` never imports the store.

Reads `{"database_url", "keys"}` from stdin and writes one JSON object to stdout: the result, or `{"error"}`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from aispine.errors import AISpineError, StackError

_SECONDS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """`api_key` is None unless it was made just now."""

    web_database_url: str
    engine_database_url: str
    api_key: str | None


def run(database_url: str, keys: str, env: dict[str, str]) -> Result:
    """Brings the database to this version. Raises `StackError` saying what went wrong."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "aispine.stack.bootstrap"],
            input=json.dumps({"database_url": database_url, "keys": keys}),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=env,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"the database was not migrated within {_SECONDS} s") from error
    sys.stderr.write(done.stderr if done.returncode == 0 else "")
    return _result(done)


def _result(done: subprocess.CompletedProcess[str]) -> Result:
    try:
        values = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise StackError(f"the database cannot be prepared: {last}") from None
    if "error" in values:
        raise StackError(f"the database cannot be prepared: {values['error']}", hint=values["hint"])
    return Result(**values)


def main() -> None:
    from aispine.store import migrate

    given = json.load(sys.stdin)
    try:
        made = migrate.upgrade(given["database_url"], given["keys"])
        _register_agents(made.engine_database_url)
        answer = asdict(made)
    except AISpineError as error:
        answer = {"error": error.message, "hint": error.hint}
    json.dump(answer, sys.stdout)


def _register_agents(engine_url: str) -> None:
    """Registers what the folders on the search path hold; a folder with problems is reported and left out."""
    from aispine import settings
    from aispine.agent import folder, registry
    from aispine.store.database import Store

    store = Store(engine_url, pool_size=1)
    try:
        with store.session(None) as session:
            synced = registry.sync_folders(session, folder.search_path(settings.load(stack=False)))
    finally:
        store.dispose()
    for problem in synced.problems:
        sys.stderr.write(f"warning: {problem.message}\n")


if __name__ == "__main__":
    main()
