"""Channels to Redis: one client for all that is sent, and another when its connections were given up."""

from __future__ import annotations

from typing import Any

from aispine.engine.broker import make_app
from aispine.engine.channel import Channel
from aispine.settings import Settings
from tests.support.environment import Servers


def test_a_channel_keeps_its_client_until_its_connections_are_given_up(servers: Servers) -> None:
    app = make_app(Settings(redis_url=servers.redis_url))
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        assert isinstance(channel, Channel)
        first, again = _client(channel), _client(channel)
        assert first is again
        assert first.ping()
        channel._after_fork()
        after = _client(channel)
        assert after is not first
        assert after.ping()
    app.close()


def _client(channel: Channel) -> Any:
    with channel.conn_or_acquire() as client:
        return client
