"""The kinds of broker: what a URL of each means, and what Celery has to be told to use it well."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from amqp.exceptions import AMQPError
from kombu.connection import Connection
from kombu.exceptions import KombuError

from aispine.errors import BrokerUnavailable, InvalidRequest
from aispine.settings import Settings

REDIS: Final = "Redis"
RABBITMQ: Final = "RabbitMQ"
SQS: Final = "SQS"

AHEAD: Final = 0
NORMAL: Final = 3
"""Priorities of messages as Redis has them: what recovery sends goes before what waits. Other brokers know one line."""

_FIELD: Final = "broker_url"
_HINT: Final = "Check AISPINE_BROKER_URL; docs/operations.md shows one for each broker."
_HOUR: Final = 3600
_SECONDS: Final = 5.0
"""How long a broker is given to answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transport:
    """A broker and how Celery uses it.

    `url` is what Celery takes, `address` what people may see; `options` are kombu's, `configuration` Celery's.
    `asks_workers` says whether a question reaches all workers over it, which Flower needs too; `needs` are modules
    that do not come with the core.
    """

    name: str
    url: str
    address: str
    options: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    queue_arguments: Mapping[str, Any] = field(default_factory=dict)
    asks_workers: bool = True
    needs: Sequence[str] = ()


def of(url: str) -> Transport:
    """The transport of a URL, or of several of one kind with `;` between them, of which any may answer.

    Raises `InvalidRequest` for one that cannot be used, naming the setting.
    """
    kinds = {_kind(each) for each in url.split(";")}
    if len(kinds) > 1:
        raise InvalidRequest("AISPINE_BROKER_URL names brokers of several kinds", field=_FIELD, hint=_HINT)
    kind = kinds.pop()
    if kind is redis and ";" in url:
        raise InvalidRequest("AISPINE_BROKER_URL may name one Redis alone", field=_FIELD, hint=_HINT)
    return kind(url)


def of_settings(settings: Settings) -> Transport | None:
    """The transport of a process: the broker that is named, or else Redis; None where neither is known."""
    if settings.broker_url:
        return of(settings.broker_url)
    return redis(settings.redis_url) if settings.redis_url else None


def require(transport: Transport) -> None:
    """Raises `InvalidRequest` when the broker's client is not installed."""
    if any(importlib.util.find_spec(name) is None for name in transport.needs):
        raise InvalidRequest(
            f"AISPINE_BROKER_URL names {transport.name}, whose client is not installed",
            field=_FIELD,
            hint=f"Install it: pip install 'aispine[{transport.name.lower()}]'",
        )


def check(transport: Transport) -> None:
    """Asks the broker whether it takes us.

    Raises `BrokerUnavailable` when it does not answer and `InvalidRequest` when it refuses.
    """
    require(transport)
    try:
        with _connection(transport) as connection:
            connection.ensure_connection(max_retries=1, timeout=_SECONDS)
            connection.default_channel.close()
    except (KombuError, OSError) as error:
        raise BrokerUnavailable(
            f"{transport.name} does not answer at {transport.address}: {_first_line(error)}", field=_FIELD, hint=_HINT
        ) from error
    except refusals() as error:
        raise InvalidRequest(
            f"{transport.name} at {transport.address} refuses: {_first_line(error)}", field=_FIELD, hint=_HINT
        ) from error


def refusals() -> tuple[type[Exception], ...]:
    """What a broker that answers may say against us: a login or a right that is missing, a queue that is another's."""
    botocore = sys.modules.get("botocore.exceptions")  # What is not loaded has raised nothing.
    return (AMQPError,) if botocore is None else (AMQPError, botocore.BotoCoreError, botocore.ClientError)


def _connection(transport: Transport) -> Any:
    connection: Any = Connection
    return connection(transport.url, transport_options=dict(transport.options), connect_timeout=_SECONDS)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _kind(url: str) -> Callable[[str], Transport]:
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in _KINDS:
        raise InvalidRequest(
            f"AISPINE_BROKER_URL must begin with one of {', '.join(f'{each}://' for each in _KINDS)}",
            field=_FIELD,
            hint=_HINT,
        )
    return _KINDS[scheme]


def redis(url: str) -> Transport:
    """Redis as the broker, in which it keeps the counters of chords and wake-ups too."""
    return Transport(
        name=REDIS,
        url=url,
        address=_address(url),
        options={
            "visibility_timeout": _HOUR,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "priority_steps": [AHEAD, NORMAL],
        },
        # Over TLS the name itself tells kombu how to connect.
        configuration={} if url.startswith("rediss:") else {"broker_transport": "aispine.engine.channel:Transport"},
    )


def _rabbitmq(url: str) -> Transport:
    return Transport(
        name=RABBITMQ,
        url=url,
        address=_address(url),
        # Without confirmation a message that the broker refuses is lost without a word. While it is short of memory or
        # disk it reads nothing of who sends, and without the timeout closing such a connection would wait for ever.
        options={"confirm_publish": True, "read_timeout": _SECONDS},
        configuration={
            "broker_heartbeat": 30,
            "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.1},
        },
        queue_arguments={
            # Celery asks classic queues for a limit that counts for a whole channel, which RabbitMQ is about to drop.
            "x-queue-type": "quorum",
            # By itself RabbitMQ 3.12 and later close a channel on which a node has run for half an hour.
            "x-consumer-timeout": 24 * _HOUR * 1000,
        },
    )


def _sqs(url: str) -> Transport:
    parts = _split(url)
    given = _parameters(parts)
    return Transport(
        name=SQS,
        url=f"sqs://{parts.netloc}",
        address=_address(url) if parts.hostname else f"sqs://?region={given['region']}",
        options={
            "region": given["region"] or None,
            "queue_name_prefix": given["prefix"],
            "is_secure": _truth(given["secure"]),
            # What a killed worker had taken comes back after it. A node may run longer: its message is then doubled,
            # and whoever takes the second finds the node under a lease.
            "visibility_timeout": 120,
            "wait_time_seconds": _whole(given["wait"]),
            "polling_interval": 0.1,
            "client-config": {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 2}},
        },
        configuration={
            "worker_enable_remote_control": False,
            "worker_send_task_events": False,
            "task_send_sent_event": False,
        },
        asks_workers=False,
        needs=("boto3", "pycurl"),
    )


_KINDS: Final[Mapping[str, Callable[[str], Transport]]] = {
    "redis": redis,
    "rediss": redis,
    "amqp": _rabbitmq,
    "amqps": _rabbitmq,
    "sqs": _sqs,
}
_PARAMETERS: Final = {"region": "", "prefix": "aispine-", "secure": "true", "wait": "5"}
_LONGEST_WAIT: Final = 20


def _parameters(parts: SplitResult) -> Mapping[str, str]:
    given = dict(parse_qsl(parts.query))
    unknown = sorted(given.keys() - _PARAMETERS.keys())
    if unknown:
        known = ", ".join(f"`{name}`" for name in _PARAMETERS)
        raise InvalidRequest(
            f"AISPINE_BROKER_URL has no parameter `{unknown[0]}` for SQS; it has {known}", field=_FIELD, hint=_HINT
        )
    return {**_PARAMETERS, **given}


def _truth(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidRequest("`secure` of AISPINE_BROKER_URL must be true or false", field=_FIELD, hint=_HINT)
    return text == "true"


def _whole(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_WAIT:
        raise InvalidRequest(
            f"`wait` of AISPINE_BROKER_URL must be a whole number of seconds from 1 to {_LONGEST_WAIT}",
            field=_FIELD,
            hint=_HINT,
        )
    return int(text)


def _address(url: str) -> str:
    """A URL without what must not be shown: login and parameters."""
    return ";".join(_bare(_split(each)) for each in url.split(";"))


def _bare(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what raises for one that is no number.
    except ValueError as error:
        raise InvalidRequest(f"AISPINE_BROKER_URL cannot be read: {error}", field=_FIELD, hint=_HINT) from error
    return parts
