"""Migrations, first objects and the agents in folders, in a process of their own: so `up` never imports the store.

Reads `{"database_url", "keys", "key_file"}` from stdin, writes one JSON object to stdout: the result or `{"error"}`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aispine.errors import AISpineError, StackError
from aispine.settings import Settings
from aispine.stack import home

if TYPE_CHECKING:
    from aispine.store.migrate import Bootstrap

_SECONDS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """`api_key` is that of the file, None where the database has others."""

    web_database_url: str
    engine_database_url: str
    api_key: str | None


def keys(settings: Settings) -> str:
    """The encryption keys; made here only when the database is made here too.

    Raises `StackError` when somebody else's database comes without them.
    """
    if settings.encryption_keys:
        return settings.encryption_keys
    if settings.database_url is None:
        return home.encryption_keys(settings.home)
    raise StackError(
        "AISPINE_DATABASE_URL is set but AISPINE_ENCRYPTION_KEYS is not",
        field="encryption_keys",
        hint="Every process of that database needs the same keys. A new one: openssl rand -base64 32 | tr '+/' '-_'",
    )


def run(database_url: str, keys: str, key_file: Path, env: dict[str, str]) -> Result:
    """Brings the database to this version; makes the first API key and its file where there is none.

    Raises `StackError` saying what went wrong.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "aispine.stack.bootstrap"],
            input=json.dumps({"database_url": database_url, "keys": keys, "key_file": str(key_file)}),
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
    given = json.load(sys.stdin)
    try:
        made = _upgrade(given["database_url"], given["keys"], Path(given["key_file"]))
        _register_agents(made.engine_database_url)
        answer = asdict(made)
    except AISpineError as error:
        answer = {"error": error.message, "hint": error.hint}
    json.dump(answer, sys.stdout)


def _upgrade(database_url: str, keys: str, key_file: Path) -> Bootstrap:
    from aispine.store import api_keys, migrate

    kept = home.read_text(key_file)
    key = kept or api_keys.new_key()
    if kept is None:
        # Before its hash is stored: whenever this process is killed, no key is in use that nobody knows.
        home.write_private(key_file, key + "\n")
    made = migrate.upgrade(database_url, keys, key)
    if kept is None and made.api_key is None:
        key_file.unlink()
    return made


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
    for agent_id in synced.hidden:
        sys.stderr.write(f"warning: your agent `{agent_id}` is called in place of the built-in one of this id\n")


if __name__ == "__main__":
    main()
