"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from aispine import logs
from aispine.errors import AISpineError, InvalidRequest, NotFound, TooLarge, UnsupportedMediaType

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
_KNOWN: Final = {kind.status: kind for kind in (InvalidRequest, NotFound, TooLarge, UnsupportedMediaType)}

_log = logs.get(__name__)


def install(app: Flask) -> None:
    """Makes every error of the application a problem."""
    app.register_error_handler(AISpineError, _from_error)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_bug)


def _from_error(error: AISpineError) -> Response:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("http.failed", code=error.code, error=error.message, exc_info=error)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    members = {"field": error.field, "hint": error.hint, "errors": list(error.errors) or None}
    return problem(error.status, error.code, error.message, title=_title(type(error)), headers=headers, **members)


def _from_http(error: HTTPException) -> Response:
    """What Flask itself refuses: unknown paths, wrong methods, bodies that are too large."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status=status, headers=_carried(error))
    known = _KNOWN.get(status)
    code = known.code if known else status.phrase.lower().replace(" ", "_").replace("-", "_")
    detail = _DETAILS.get(status, "{phrase}").format(
        path=request.path[:200], method=request.method, phrase=status.phrase
    )
    return problem(status, code, detail, title=status.phrase, headers=_carried(error))


_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: "There is nothing at {path}",
    HTTPStatus.METHOD_NOT_ALLOWED: "{path} does not take {method}",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body of the request is larger than the limit",
    HTTPStatus.BAD_REQUEST: "The request cannot be read",
}


def _carried(error: HTTPException) -> dict[str, str]:
    return {name: value for name, value in error.get_headers() if name in {"Allow", "Location", "Retry-After"}}


def _from_bug(error: Exception) -> Response:
    """What nobody foresaw: the log has all of it, the answer only the request's id."""
    _log.error("http.bug", exc_info=error)
    detail = f"Something went wrong inside AI Spine; the log tells more under the request id {g.request_id}"
    return problem(500, AISpineError.code, detail, title=_title(AISpineError))


def _title(kind: type[AISpineError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")


def problem(
    status: int, code: str, detail: str, *, title: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """The response; members that are None are left out."""
    body = {
        "type": f"urn:aispine:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.path[:200],
        "request_id": g.get("request_id"),
    }
    body.update((name, value) for name, value in members.items() if value is not None)
    # Written like every other answer: the same spacing, and a line end.
    written = f"{current_app.json.dumps(body, separators=(',', ':'))}\n"
    return Response(written, status=status, headers=dict(headers or {}), content_type=CONTENT_TYPE)
