"""A stand-in for the WhatsApp Business Cloud API on loopback, as strict about what it is sent as the real one."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCESS_TOKEN = "EAAG-a-test-token"
APP_SECRET = "an app's secret"
NUMBER = "106540352242922"


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
        self.url = f"http://127.0.0.1:{port}/v23.0"
        self.origin = f"http://127.0.0.1:{port}"
        self.sent: list[dict[str, Any]] = []
        self.refusals: defaultdict[str, deque[Refused]] = defaultdict(deque)
        self.media: dict[str, bytes] = {}
        self.lies: dict[str, dict[str, Any]] = {}
        """What is said of a media id in place of the truth."""
        self.problems: list[str] = []
        self._ids = itertools.count(1)

    def to(self, user: str) -> list[dict[str, Any]]:
        return [body for body in self.sent if user in {body.get("to"), body.get("recipient")}]

    def texts(self, user: str) -> list[str]:
        return [text_of(body) for body in self.to(user)]

    def add_media(self, content: bytes) -> str:
        media_id = f"media{next(self._ids)}"
        self.media[media_id] = content
        return media_id

    def take(self, body: Any) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        user = str(body.get("to") or body.get("recipient"))
        if self.refusals[user]:
            refused = self.refusals[user].popleft()
            error = {"message": "(#1) refused", "code": refused.code, "error_data": {"details": refused.details}}
            return refused.status, {"error": error}, refused.headers or {}
        problem = misfit(body)
        if problem is not None:
            self.problems.append(problem)
            return 400, {"error": {"message": problem, "code": 100, "error_data": {"details": problem}}}, {}
        self.sent.append(body)
        wamid = f"wamid.out{next(self._ids)}"
        body["wamid"] = wamid
        return 200, {"messaging_product": "whatsapp", "messages": [{"id": wamid}]}, {}


def text_of(body: Mapping[str, Any]) -> str:
    """The text of a message that was sent, whatever its type."""
    part = body[body["type"]]
    inner = part.get("body")
    return str(inner["text"] if isinstance(inner, dict) else inner if inner is not None else part.get("caption", ""))


_TYPES = {"text", "image", "document", "interactive", "template"}
_KEYS = {"messaging_product", "recipient_type", "to", "recipient", "biz_opaque_callback_data", "type", "context"}


def misfit(body: Any) -> str | None:
    """What Meta's own description of the request finds wrong, None when nothing is."""
    if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
        return "messaging_product must be whatsapp"
    kind = body.get("type")
    if kind not in _TYPES or not isinstance(body.get(kind), dict):
        return f"type {kind!r} has no object of its own"
    if unknown := body.keys() - _KEYS - {kind}:
        return f"unexpected keys {sorted(unknown)}"
    if ("to" in body) == ("recipient" in body) or ("to" in body and not re.fullmatch(r"\d{5,20}", body["to"])):
        return "exactly one of to (digits) and recipient"
    if len(body.get("biz_opaque_callback_data", "")) > 512:
        return "biz_opaque_callback_data is too long"
    checks = {"text": _text, "interactive": _interactive, "template": _template, "image": _media, "document": _media}
    return checks[kind](body[kind])


def _text(part: dict[str, Any]) -> str | None:
    fits = part.keys() <= {"body", "preview_url"} and 0 < len(part.get("body", "")) <= 4096
    return None if fits else "text needs a body of 1 to 4096 characters"


def _interactive(part: dict[str, Any]) -> str | None:
    buttons = part.get("action", {}).get("buttons", [])
    if part.get("type") != "button" or not 0 < len(part.get("body", {}).get("text", "")) <= 1024:
        return "interactive needs a body of 1 to 1024 characters"
    if not 1 <= len(buttons) <= 3:
        return "1 to 3 buttons"
    for button in buttons:
        reply = button.get("reply", {})
        fits = 0 < len(reply.get("title", "")) <= 20 and 0 < len(reply.get("id", "")) <= 256
        if button.get("type") != "reply" or not fits:
            return f"button {button}"
    return None


def _template(part: dict[str, Any]) -> str | None:
    fits = isinstance(part.get("name"), str) and isinstance(part.get("language", {}).get("code"), str)
    return None if fits else "template needs a name and a language"


def _media(part: dict[str, Any]) -> str | None:
    fits = part.keys() <= {"id", "caption", "filename"} and isinstance(part.get("id"), str)
    return None if fits else "media needs an id"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        service, path = self.server.service, self.path.partition("?")[0]
        if not self._authorized():
            return
        if path.startswith("/files/"):
            self._send(200, service.media[path.removeprefix("/files/")], "image/png")
            return
        name = path.rsplit("/", 1)[1]
        if name == NUMBER:
            self._json(200, {"display_phone_number": "+34 600 000 000", "verified_name": "Hotel", "id": NUMBER})
        elif name in service.media or name in service.lies:
            self._json(200, _described(service, name))
        else:
            self._json(404, {"error": {"message": "Unsupported get request", "code": 100}})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._authorized():
            return
        if self.path == f"/v23.0/{NUMBER}/media":
            self._json(200, {"id": self.server.service.add_media(_uploaded(self.headers["Content-Type"], raw))})
        elif self.path == f"/v23.0/{NUMBER}/messages":
            self._json(*self.server.service.take(json.loads(raw)))
        else:
            self._json(404, {"error": {"message": f"no such path {self.path}", "code": 100}})

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: the tests look at what was sent."""

    def _authorized(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {ACCESS_TOKEN}":
            return True
        self._json(401, {"error": {"message": "Invalid OAuth access token.", "code": 190}})
        return False

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(self, status: int, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _described(service: WhatsApp, name: str) -> dict[str, Any]:
    content = service.media.get(name, b"")
    truth = {
        "url": f"{service.origin}/files/{name}",
        "mime_type": "image/jpeg" if content.startswith(b"\xff\xd8") else "image/png",
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_size": len(content),
        "id": name,
        "messaging_product": "whatsapp",
    }
    return {**truth, **service.lies.get(name, {})}


def _uploaded(content_type: str, raw: bytes) -> bytes:
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    parts = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}  # type: ignore[union-attr]  # a form has parts
    assert parts.keys() == {"messaging_product", "type", "file"}
    return bytes(parts["file"].get_payload(decode=True))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = WhatsApp(self.server_address[1])


@contextmanager
def serving() -> Iterator[WhatsApp]:
    """Serves WhatsApp on a port of its own; at the end nothing malformed may have been sent to it."""
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert server.service.problems == []


def webhook(
    *messages: Mapping[str, Any], statuses: list[Mapping[str, Any]] | None = None, number: str = NUMBER
) -> bytes:
    """The body of a webhook as WhatsApp sends it."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "34600000000", "phone_number_id": number},
    }
    users = [message.get("from") or message.get("from_user_id") for message in messages]
    if messages:
        value["contacts"] = [{"profile": {"name": "María Pérez"}, "wa_id": user} for user in users]
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = statuses
    entry = {"id": "waba", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, ensure_ascii=False).encode()


def signed(raw: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def text(user: str, body: str, message_id: str) -> dict[str, Any]:
    return {"from": user, "id": message_id, "timestamp": "1764000000", "type": "text", "text": {"body": body}}
