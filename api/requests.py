"""Every request: its id, its line in the log, and what no request may contain."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g, request

from aispine import logs
from aispine.errors import InvalidRequest
from aispine.store.ids import new_id

HEADER: Final = "X-Request-Id"
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")

_log = logs.get(__name__)


def install(app: Flask) -> None:
    """Follows every request of the application from its first moment to its last."""
    app.before_request(_begin)
    app.before_request(_refuse_nul)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _ID.fullmatch(given) else new_id()
    g.began = time.perf_counter()
    logs.forget()
    logs.bind(request_id=g.request_id)


def _refuse_nul() -> None:
    """PostgreSQL has no text with a NUL character in it, so none gets further than this."""
    for name, values in request.args.lists():
        if _has_nul([name, *values]):
            raise InvalidRequest("A NUL character is in the query", field=name.replace("\0", ""))
    if _has_nul([request.path]):
        raise InvalidRequest("A NUL character is in the path")


def _has_nul(texts: Iterable[str]) -> bool:
    return any("\0" in text for text in texts)


def _is_read(response: Response) -> bool:
    """A read that went well: whoever watches an execution makes many of them."""
    return request.method in {"GET", "HEAD", "OPTIONS"} and response.status_code < HTTPStatus.BAD_REQUEST


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    write = _log.debug if _is_read(response) else _log.info
    milliseconds = round((time.perf_counter() - g.began) * 1000, 1)
    write("http.request", method=request.method, path=_path(), status=response.status_code, ms=milliseconds)
    return response


def _path() -> str:
    """The path; its pattern where it names a person, which belongs in no log."""
    named = (request.endpoint or "").startswith("subjects.")
    return str(request.url_rule) if named else request.path
