"""Calls to the services behind channels: where they may go, JSON in and out, forms with files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3.filepost import encode_multipart_formdata

from aispine import settings
from aispine.channel.foreign import mapping
from aispine.guards import http, rules
from aispine.guards.rules import Guard

SECONDS: Final = 20.0
MEDIA_SECONDS: Final = 60.0
_ANSWER: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A file in a form."""

    name: str
    media_type: str
    content: bytes


def get(base_url: str, url: str, headers: Mapping[str, str] | None = None) -> http.Answer:
    """Raises `CallError`, as all calls here do."""
    return _send(base_url, http.Request(method="GET", url=url, headers=headers or {}, **_OF_A_CALL))


def post(base_url: str, url: str, body: Any, headers: Mapping[str, str] | None = None) -> http.Answer:
    """Posts JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    content = json.dumps(body, ensure_ascii=False).encode()
    return _send(base_url, http.Request(method="POST", url=url, headers=sent, body=content, **_OF_A_CALL))


def post_form(
    base_url: str, url: str, fields: Mapping[str, str | Part], headers: Mapping[str, str] | None = None
) -> http.Answer:
    """Posts a form, files in it."""
    content, content_type = encode_multipart_formdata([(name, _field(value)) for name, value in fields.items()])
    sent = {"Content-Type": content_type, **(headers or {})}
    options = {**_OF_A_CALL, "seconds": MEDIA_SECONDS}
    return _send(base_url, http.Request(method="POST", url=url, headers=sent, body=content, **options))


def download(base_url: str, url: str, limit: int, headers: Mapping[str, str] | None = None) -> http.Answer:
    """Fetches a file of at most `limit` bytes."""
    request = http.Request(
        method="GET",
        url=url,
        headers={"Accept": "*/*", **(headers or {})},
        seconds=MEDIA_SECONDS,
        limit=limit,
        callee="channel",
    )
    return _send(base_url, request)


def json_of(answer: http.Answer) -> Mapping[str, Any]:
    """The object that was answered; an empty one when it was none."""
    try:
        return mapping(json.loads(answer.body))
    except (ValueError, RecursionError):
        return {}


_OF_A_CALL: Final[dict[str, Any]] = {"seconds": SECONDS, "limit": _ANSWER, "callee": "channel"}


def _field(value: str | Part) -> Any:
    return (value.name, value.content, value.media_type) if isinstance(value, Part) else value


def _send(base_url: str, request: http.Request) -> http.Answer:
    return http.send(request, _guard(base_url))


def _guard(base_url: str) -> Guard:
    """The deployment's guard; the service itself is where its setting says, also on a machine of one's own."""
    guard = rules.of(settings.current())
    service = frozenset({(urlsplit(base_url).hostname or "").lower()})
    return replace(guard, allowed=replace(guard.allowed, names=guard.allowed.names | service))
