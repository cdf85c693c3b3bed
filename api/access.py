"""Who may call a route: each declares it, and one hook holds it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from flask import Flask, current_app, g, request

from aispine import logs
from aispine.access import authenticate, bearer
from aispine.errors import Unauthenticated
from api.parts import parts

Access = Literal["key", "metrics", "signature", "token", "public"]
"""`key`: the bearer of an API key. `metrics`: the bearer of `metrics_token`, or of any API key where none is set.
`signature`: who signs the body, checked by the route. `token`: who has the URL, whose token the route checks.
`public`: anybody."""

_ATTRIBUTE: Final = "__access__"
View = TypeVar("View", bound=Callable[..., Any])


def access(kind: Access) -> Callable[[View], View]:
    """Declares who may call the view that it decorates."""

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, kind)
        return view

    return declare


def declared(view: Any) -> Access | None:
    """What a view declares; None when it forgot to."""
    kind: Access | None = getattr(view, _ATTRIBUTE, None)
    return kind


def install(app: Flask) -> None:
    """Holds every route to its declaration. Raises `RuntimeError` when one has none."""
    silent = sorted(endpoint for endpoint, view in app.view_functions.items() if declared(view) is None)
    if silent:
        raise RuntimeError(f"these routes do not declare who may call them: {', '.join(silent)}")
    app.before_request(_identify)


def _identify() -> None:
    """Finds the principal where a route takes a key. Raises `Unauthenticated`."""
    kind = declared(current_app.view_functions.get(request.endpoint or ""))
    token = parts().settings.metrics_token
    if kind == "metrics" and token is not None:
        _check_token(token)
    elif kind in {"key", "metrics"}:
        _find_principal()


def _check_token(token: str) -> None:
    given = bearer(request.headers.get("Authorization"))
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise Unauthenticated("The token is not the one of AISPINE_METRICS_TOKEN")


def _find_principal() -> None:
    # Before the store is asked for: who brings no key is told so even where there is none.
    key = bearer(request.headers.get("Authorization"))
    g.principal = authenticate(parts().store, key)
    logs.bind(tenant=g.principal.tenant_id)
