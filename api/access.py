"""Who may call a route: each declares it, and one hook holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from flask import Flask, current_app, g, request

from aispine import logs
from aispine.access import authenticate, bearer
from api.parts import parts

Access = Literal["key", "signature", "public"]
"""`key`: the bearer of an API key. `signature`: who signs the body, checked by the route. `public`: anybody."""

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
    view = current_app.view_functions.get(request.endpoint or "")
    if declared(view) != "key":
        return
    header = request.headers.get("Authorization")
    bearer(header)
    with parts().store.session(None) as session:
        g.principal = authenticate(session, header)
    logs.bind(tenant=g.principal.tenant_id)
