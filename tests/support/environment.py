"""The servers of a test session and the settings under which everything in it runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aispine.agent import registry
from aispine.settings import Settings
from aispine.stack import embedded, home
from aispine.store import api_keys, migrate
from aispine.store.database import Store
from tests.support import telegram, whatsapp
from tests.support.telegram import Telegram
from tests.support.whatsapp import WhatsApp

ROOT = Path(__file__).resolve().parents[2]
QUICK: Mapping[str, str] = {
    "AISPINE_LEASE": "2",
    "AISPINE_HEARTBEAT": "0.5",
    "AISPINE_TICK": "0.2",
    "AISPINE_ENGINE_CONCURRENCY": "2",
    "AISPINE_CPU_CONCURRENCY": "1",
    "AISPINE_IO_CONCURRENCY": "8",
    "AISPINE_LOG_FORMAT": "json",
}
"""Losses are noticed in seconds, so that tests of them take seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """Running servers with a migrated database. `env` is what a process needs to use them."""

    home: Path
    owner_url: str
    web_url: str
    engine_url: str
    redis_url: str
    api_key: str
    whatsapp: WhatsApp
    telegram: Telegram
    env: Mapping[str, str]
    broker_url: str | None = None
    """None where Redis is the broker."""


@contextmanager
def serving(broker_url: str | None = None) -> Iterator[Servers]:
    """Embedded PostgreSQL and Redis in a folder of their own, gone afterwards; the broker is Redis or who is named."""
    folder = Path(tempfile.mkdtemp(prefix="aispine-test-"))
    # PostgreSQL runs as another user when the tests run as root, and has to get in.
    folder.chmod(0o711)
    started = embedded.start(Settings(home=folder / "home"))
    try:
        with whatsapp.serving() as service, telegram.serving() as bots:
            yield _carried(_prepare(folder / "home", started, service, bots), broker_url)
    finally:
        started.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _carried(servers: Servers, broker_url: str | None) -> Servers:
    """The servers with another broker than Redis, where one is named."""
    if broker_url is None:
        return servers
    return replace(servers, broker_url=broker_url, env={**servers.env, "AISPINE_BROKER_URL": broker_url})


def _prepare(folder: Path, started: embedded.Servers, service: WhatsApp, bots: Telegram) -> Servers:
    keys = home.encryption_keys(folder)
    urls = migrate.upgrade(started.database_url, keys, api_keys.new_key())
    _register_agents(urls.engine_database_url)
    env = {
        "AISPINE_HOME": str(folder),
        "AISPINE_DATABASE_URL": started.database_url,
        "AISPINE_WEB_DATABASE_URL": urls.web_database_url,
        "AISPINE_ENGINE_DATABASE_URL": urls.engine_database_url,
        "AISPINE_REDIS_URL": started.redis_url,
        "AISPINE_ENCRYPTION_KEYS": keys,
        "AISPINE_WHATSAPP_URL": service.url,
        "AISPINE_TELEGRAM_URL": bots.url,
        "AISPINE_ALLOWED_HOSTS": "loopback",
        "AISPINE_PUBLIC_URL": "http://spine.test",
        **QUICK,
    }
    return Servers(
        home=folder,
        owner_url=started.database_url,
        web_url=urls.web_database_url,
        engine_url=urls.engine_database_url,
        redis_url=started.redis_url,
        api_key=str(urls.api_key),
        whatsapp=service,
        telegram=bots,
        env=env,
    )


def _register_agents(engine_url: str) -> None:
    store = Store(engine_url, pool_size=1)
    with store.session(None) as session:
        synced = registry.sync_folders(session, [ROOT / "agents"])
    store.dispose()
    assert synced.problems == ()


def process_environment(servers: Servers) -> dict[str, str]:
    """The environment of a process of the product, without what the caller's own has of its settings."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}
    # A killed process leaves its temporary files; so they are where the session's own go.
    return {**outer, "PYTHONPATH": str(ROOT), "TMPDIR": str(servers.home), **servers.env}
