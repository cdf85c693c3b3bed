"""How many requests a tenant may make in a minute: its plan's number, told with each answer and held over Redis."""

from __future__ import annotations

import math
from typing import Final

from flask import Flask, Response, g

from aispine.errors import RateLimited
from aispine.guards.turns import Limit, Quota
from aispine.store import plans
from api.parts import parts

WINDOW: Final = 60
_POLICY: Final = "RateLimit-Policy"
_LIMIT: Final = "RateLimit"


def install(app: Flask) -> None:
    """Counts each request with a key; it has to come after what finds out whose the key is."""
    app.before_request(_count)
    app.after_request(_tell)


def _count() -> None:
    """Raises `RateLimited` for a request that is one too many; without Redis every one passes."""
    found = getattr(g, "principal", None)
    allowed = _allowed(found.tenant_id) if found is not None else None
    if found is None or allowed is None:
        return
    quota = parts().turns.admit(Limit(key=found.tenant_id, count=allowed, seconds=WINDOW))
    if quota is None:
        return
    g.quota = (allowed, quota)
    if quota.retry_after is not None:
        hint = f"Come again in {math.ceil(quota.retry_after)} s; the plan of this tenant allows {allowed} a minute."
        raise RateLimited("The tenant has made too many requests", hint=hint)


def _allowed(tenant_id: str) -> int | None:
    known, count = plans.known(tenant_id)
    if known:
        return count
    with parts().store.session(tenant_id) as session:
        return plans.calls_per_minute(session, tenant_id)


def _tell(response: Response) -> Response:
    told: tuple[int, Quota] | None = g.get("quota")
    if told is not None:
        allowed, quota = told
        response.headers[_POLICY] = f'"default";q={allowed};w={WINDOW}'
        response.headers[_LIMIT] = f'"default";r={quota.remaining};t={math.ceil(quota.reset)}'
        if quota.retry_after is not None:
            response.headers["Retry-After"] = str(math.ceil(quota.retry_after))
    return response
