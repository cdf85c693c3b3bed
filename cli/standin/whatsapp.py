"""What the stand-in knows: the messages that it took, the files that it holds, and how it refuses."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.standin.shapes import misfit

ACCESS_TOKEN: Final = "EAAG-of-the-stand-in"  # noqa: S105 - it opens nothing
APP_SECRET: Final = "the stand-in's app secret"  # noqa: S105
NUMBER: Final = "106540352242922"
VERSION: Final = "v23.0"
_SIGNS: Final = {b"\xff\xd8": "image/jpeg", b"%PDF-": "application/pdf"}

Answer = tuple[int, dict[str, Any], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """How the next message is refused."""

    status: int
    code: int | None = None
    details: str = "because a test says so"
    headers: Mapping[str, str] | None = None


class WhatsApp:
    """`sent` are the messages that were taken; `refusals` of a person are used up first."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/{VERSION}"
        self.sent: list[dict[str, Any]] = []
        self.refusals: defaultdict[str, deque[Refused]] = defaultdict(deque)
        self.media: dict[str, bytes] = {}
        self.lies: dict[str, dict[str, Any]] = {}
        """What is said of a media id in place of the truth."""
        self.problems: list[str] = []
        """What was wrong with messages that were no messages."""
        self.listeners: dict[str, Callable[[dict[str, Any]], None]] = {}
        """Who is told of each message to a person, by the person."""
        self._ids = itertools.count(1)

    def to(self, user: str) -> list[dict[str, Any]]:
        return [body for body in self.sent if user in {body.get("to"), body.get("recipient")}]

    def texts(self, user: str) -> list[str]:
        return [text_of(body) for body in self.to(user)]

    def add_media(self, content: bytes) -> str:
        media_id = f"media{next(self._ids)}"
        self.media[media_id] = content
        return media_id

    def take(self, body: Any) -> Answer:
        """The answer to a message: status, body and headers."""
        problem = misfit(body)
        if problem is not None:
            self.problems.append(problem)
            return _error(400, 100, problem)
        user = str(body.get("to") or body.get("recipient"))
        if self.refusals[user]:
            refused = self.refusals[user].popleft()
            return _error(refused.status, refused.code, refused.details, refused.headers or {})
        wamid = f"wamid.out{next(self._ids)}"
        body["wamid"] = wamid
        self.sent.append(body)
        if user in self.listeners:
            self.listeners[user](body)
        return 200, {"messaging_product": "whatsapp", "messages": [{"id": wamid}]}, {}

    def described(self, media_id: str) -> dict[str, Any]:
        """What is told of a file, by which it is then fetched."""
        content = self.media.get(media_id, b"")
        truth = {
            "url": f"{self.origin}/files/{media_id}",
            "mime_type": _media_type(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "file_size": len(content),
            "id": media_id,
            "messaging_product": "whatsapp",
        }
        return {**truth, **self.lies.get(media_id, {})}


def _media_type(content: bytes) -> str:
    return next((name for sign, name in _SIGNS.items() if content.startswith(sign)), "image/png")


def _error(status: int, code: int | None, details: str, headers: Mapping[str, str] | None = None) -> Answer:
    error = {"message": f"(#{code}) {details}", "code": code, "error_data": {"details": details}}
    return status, {"error": error}, headers or {}


def text_of(body: Mapping[str, Any]) -> str:
    """The text of a message that was sent, whatever its type."""
    part = body[body["type"]]
    inner = part.get("body")
    return str(inner["text"] if isinstance(inner, dict) else inner if inner is not None else part.get("caption", ""))
