"""What `aispine doctor` looks at: each part of the stack, how it is, and what to do when it is not well."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from aispine.errors import AISpineError
from aispine.settings import STACK_FILE, Settings
from aispine.stack import home, programs, stuck, worker
from aispine.stack.account import unprivileged
from aispine.stack.address import Address, health
from aispine.stack.health import Skipped, Unwell

if TYPE_CHECKING:
    from aispine.engine.transport import Transport
    from aispine.store.database import Store

_SPACE: Final = 1_000_000_000
"""Bytes; below this PostgreSQL may soon be unable to write."""
_PRIVATE: Final = (home.KEYS_FILE, home.API_KEY_FILE, STACK_FILE)
_PING_SECONDS: Final = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One part: `skipped` where it cannot be looked at, since another part must be well first."""

    name: str
    state: Literal["ok", "failed", "skipped"]
    detail: str
    remedy: str | None = None


def examine(settings: Settings, *, embedded: bool) -> Iterator[Check]:
    """Looks at every part, one after the other; never raises for a part that is not well.

    `settings` as a process has them; `embedded` says that the user set no database of their own.
    """
    parts: dict[str, Callable[[], str]] = {
        "home": lambda: _home(settings.home),
        "disk": lambda: _disk(settings.home),
        "key files": lambda: _key_files(settings.home),
        "programs": lambda: _programs(embedded=embedded),
        "database": lambda: _database(settings),
        "migrations": lambda: _migrations(settings),
        "redis": lambda: _redis(settings),
        "broker": lambda: _broker(settings),
        "web": lambda: _web(settings),
        "workers": lambda: _workers(settings),
        "heartbeats": lambda: _looked_into(settings, stuck.heartbeats),
        "queues": lambda: _looked_into(settings, stuck.queues),
        "work": lambda: _looked_into(settings, stuck.work),
    }
    for name, look in parts.items():
        yield _check(name, look)


def examine_remote(settings: Settings) -> Iterator[Check]:
    """Looks at a stack of another machine, as far as its API shows it: whether it answers and takes the key."""
    yield _check("web", lambda: _web(settings))
    yield _check("API key", lambda: _key(settings))
    yield _check("the rest", _elsewhere)


def _elsewhere() -> str:
    raise Skipped("home, database, redis and workers are looked at where the stack runs")


def _key(settings: Settings) -> str:
    import requests

    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    try:
        answer = requests.get(f"{str(settings.url).rstrip('/')}/api/v1/flows?limit=1", headers=headers, timeout=5)
    except requests.RequestException:
        raise Skipped("see the line of web") from None
    if answer.status_code == requests.codes.unauthorized:
        raise Unwell("the API does not take the key", hint="Set AISPINE_API_KEY or give --api-key.")
    return "the API takes it"


def _check(name: str, look: Callable[[], str]) -> Check:
    check = Check(name=name, state="ok", detail="")
    try:
        return replace(check, detail=look())
    except Skipped as error:
        return replace(check, state="skipped", detail=error.message, remedy=error.hint)
    except (AISpineError, OSError) as error:
        hint = error.hint if isinstance(error, AISpineError) else None
        return replace(check, state="failed", detail=str(error), remedy=hint)


def _home(folder: Path) -> str:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        raise Unwell(f"{there} cannot be written", hint="Set AISPINE_HOME to a folder of yours.")
    return str(folder) if there == folder else f"{folder} (made by `aispine up`)"


def _disk(folder: Path) -> str:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 1e9:.1f} GB free"
    if free < _SPACE:
        raise Unwell(text, hint=f"Free some space on the disk of {there}, at least 1 GB.")
    return text


def _key_files(folder: Path) -> str:
    paths = [folder / name for name in _PRIVATE if (folder / name).exists()]
    opened = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if opened:
        names = " ".join(map(str, opened))
        raise Unwell(f"others can read {names}", hint=f"Close them: chmod 600 {names}")
    return "readable by their owner only" if paths else "none yet"


def _programs(*, embedded: bool) -> str:
    if not embedded:
        raise Skipped("not needed: the database is your own")
    found = [programs.postgres_bin() / "postgres", programs.redis_server()]
    for program in found:
        if not os.access(program, os.X_OK):
            raise Unwell(f"{program} cannot be run", hint="Install aispine again.")
    account = unprivileged()
    return "PostgreSQL and Redis" + (f"; PostgreSQL runs as {account.name}" if account else "")


def _database(settings: Settings) -> str:
    import sqlalchemy

    engine = sqlalchemy.create_engine(_database_url(settings))
    try:
        with engine.connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        return f"PostgreSQL {version}"
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise Unwell(reason, hint="Start it with `aispine up`, or check AISPINE_DATABASE_URL.") from error
    finally:
        engine.dispose()


def _migrations(settings: Settings) -> str:
    if settings.database_url is None:
        raise Skipped("the owner's login is not known here (AISPINE_DATABASE_URL)")
    from aispine.store import migrate

    if migrate.pending(settings.database_url):
        raise Unwell("the database is behind this version", hint="Start `aispine up` again: it migrates first.")
    return "current"


def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        raise _not_running()
    import redis

    client = redis.Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
    try:
        found = client.info()
    except redis.RedisError as error:
        raise Unwell(str(error), hint="Start it with `aispine up`, or check AISPINE_REDIS_URL.") from error
    finally:
        client.close()
    policy = found.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        remedy = "Set maxmemory-policy to noeviction: Redis must not drop messages."
        raise Unwell(f"Redis {found['redis_version']} evicts keys ({policy})", hint=remedy)
    return f"Redis {found['redis_version']}, noeviction"


def _broker(settings: Settings) -> str:
    if settings.broker_url is None:
        return "none besides Redis"
    from aispine.engine import transport

    used = transport.of(settings.broker_url)
    transport.check(used)
    return f"{used.name} at {used.address}"


def _web(settings: Settings) -> str:
    if settings.url is None:
        raise _not_running()
    values = _health(settings.url)
    if values is None:
        raise Unwell(f"{settings.url}/health does not answer", hint="Start `aispine up`, or look at what web prints.")
    return f"{settings.url}, version {values.get('version', 'unknown')}"


def _health(url: str) -> dict[str, object] | None:
    if url.startswith("https"):
        import requests

        try:
            values = requests.get(f"{url.rstrip('/')}/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return None
        return values if isinstance(values, dict) else None
    return health(Address.of(url))


def _workers(settings: Settings) -> str:
    from aispine.engine import transport

    used = transport.of_settings(settings)
    if used is None:
        raise _not_running()
    if not used.asks_workers:
        raise Skipped(f"{used.name} carries no questions to workers; see the line of heartbeats")
    alive = {name.partition("@")[0] for name in _ping(used)}
    missing = [name for name in worker.POOLS if name not in alive]
    if missing:
        commands = ", ".join(f"`aispine worker {name}`" for name in missing)
        raise Unwell(f"no answer from {', '.join(missing)}", hint=f"Start {commands}, or look at what they print.")
    return f"{', '.join(sorted(alive))} answer"


def _ping(used: Transport) -> list[str]:
    from amqp.exceptions import AMQPError
    from celery import Celery
    from kombu.exceptions import OperationalError

    app = Celery(broker=used.url, set_as_current=False)
    try:
        with app.connection_for_write(connect_timeout=5) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
            replies = app.control.broadcast(
                "ping", reply=True, timeout=_PING_SECONDS, limit=len(worker.POOLS), connection=connection
            )
    except (OperationalError, AMQPError) as error:
        raise Unwell(f"the broker does not answer: {error}", hint="See the lines of redis and broker.") from error
    return [name for reply in replies or () for name in reply]


def _looked_into(settings: Settings, look: Callable[[Settings, Store], str]) -> str:
    """What the engine's login shows, which sees the work of every tenant."""
    if settings.engine_database_url is None:
        raise Skipped("the engine's login is not known here (AISPINE_ENGINE_DATABASE_URL)")
    from aispine.store.database import Store

    store = Store(settings.engine_database_url, pool_size=1)
    try:
        return look(settings, store)
    finally:
        store.dispose()


def _database_url(settings: Settings) -> str:
    url = settings.database_url or settings.engine_database_url or settings.web_database_url
    if url is None:
        raise _not_running()
    return url


def _not_running() -> Unwell:
    return Unwell("the stack is not running", hint="Start it: aispine up")
