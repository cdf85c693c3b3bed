"""Whether the web process, and the servers behind it, are well."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

import redis
from sqlalchemy import text

import aispine
from aispine import logs
from aispine.engine import transport
from aispine.errors import AISpineError
from api.access import access
from api.parts import parts
from api.resource import Resource
from api.schemas import Health, HealthQuery

blueprint = Resource("health", "Whether it is well.")
_OK: Final = "ok"

_log = logs.get(__name__)


@blueprint.route("/health")
@access("public")
@blueprint.arguments(HealthQuery, location="query")
@blueprint.response(200, Health)
@blueprint.alt_response(503, schema=Health, description="With `deep=1`: a part does not answer.")
def health(query: dict[str, Any]) -> Any:
    """Say that the web process is well; with `deep=1`, whether PostgreSQL and Redis are too."""
    found = _parts() if query["deep"] else {}
    well = all(state == _OK for state in found.values())
    body = {
        "status": _OK if well else "degraded",
        "version": aispine.__version__,
        "uptime_seconds": round(time.monotonic() - parts().started, 3),
        "time": datetime.now(UTC),
        **({"parts": found} if found else {}),
    }
    return body, 200 if well else 503


def _parts() -> dict[str, str]:
    found = {"postgresql": _postgresql(), "redis": _redis()}
    url = parts().settings.broker_url
    return found | ({"broker": _broker(url)} if url is not None else {})


def _postgresql() -> str:
    try:
        with parts().store.session(None) as session:
            session.execute(text("SELECT 1"))
    except AISpineError as error:
        _log.warning("health.postgresql", error=error.message)
        return error.code
    return _OK


def _redis() -> str:
    try:
        url = parts().settings.redis_url or ""
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        _log.warning("health.redis", error=str(error))
        return "unavailable"
    return _OK


def _broker(url: str) -> str:
    try:
        transport.check(transport.of(url))
    except AISpineError as error:
        _log.warning("health.broker", error=error.message)
        return "unavailable"
    return _OK
