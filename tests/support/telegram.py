"""A stand-in for the Telegram Bot API on loopback."""

from __future__ import annotations

import itertools
import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOT_TOKEN = "123456789:AAE-a-bots-token-of-a-test"
SECRET = "a-secret_token-1"


class Telegram:
    """`sent` are the messages that were taken; `refusals` of a chat, as status and body, are used up first."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.sent: list[dict[str, Any]] = []
        self.refusals: defaultdict[str, deque[tuple[int, Mapping[str, Any]]]] = defaultdict(deque)
        self.files: dict[str, bytes] = {}
        self.problems: list[str] = []
        self._ids = itertools.count(1)

    def to(self, chat: str) -> list[dict[str, Any]]:
        return [body for body in self.sent if str(body["chat_id"]) == chat]

    def add_file(self, content: bytes) -> str:
        file_id = f"file{next(self._ids)}"
        self.files[file_id] = content
        return file_id

    def call(self, method: str, body: dict[str, Any]) -> tuple[int, Mapping[str, Any]]:
        chat = str(body.get("chat_id"))
        if self.refusals[chat]:
            return self.refusals[chat].popleft()
        if method == "getMe":
            return 200, _ok({"id": 123456789, "username": "hotel_bot", "first_name": "Hotel"})
        if method == "getFile" and body["file_id"] in self.files:
            return 200, _ok({"file_id": body["file_id"], "file_path": f"photos/{body['file_id']}.png"})
        if method == "answerCallbackQuery":
            return 200, _ok({})
        return self._take(method, body)

    def _take(self, method: str, body: dict[str, Any]) -> tuple[int, Mapping[str, Any]]:
        problem = misfit(method, body)
        if problem is not None:
            self.problems.append(problem)
            return 400, {"ok": False, "error_code": 400, "description": f"Bad Request: {problem}"}
        message_id = next(self._ids)
        self.sent.append({**body, "method": method, "message_id": message_id})
        return 200, _ok({"message_id": message_id, "chat": {"id": body["chat_id"]}})


def _ok(result: Any) -> dict[str, Any]:
    return {"ok": True, "result": result}


def misfit(method: str, body: Mapping[str, Any]) -> str | None:
    """What the Bot API finds wrong with a call; None when nothing is."""
    needs = {"sendMessage": "text", "sendPhoto": "photo", "sendDocument": "document"}.get(method)
    if needs is None or needs not in body or "chat_id" not in body:
        return f"{method} {sorted(body)}"
    if method == "sendMessage" and not 1 <= len(body["text"]) <= 4096:
        return "message text is empty or too long"
    for row in body.get("reply_markup", {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(button["callback_data"].encode()) <= 64:
                return "BUTTON_DATA_INVALID"
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        service, prefix = self.server.service, f"/file/bot{BOT_TOKEN}/photos/"
        name = self.path.removeprefix(prefix).removesuffix(".png")
        if self.path.startswith(prefix) and name in service.files:
            self._send(200, service.files[name], "image/png")
        else:
            self._send(404, b"{}", "application/json")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        prefix = f"/bot{BOT_TOKEN}/"
        if not self.path.startswith(prefix):
            self._json(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
            return
        self._json(*self.server.service.call(self.path.removeprefix(prefix), self._body(raw)))

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: the tests look at what was sent."""

    def _body(self, raw: bytes) -> dict[str, Any]:
        kind = self.headers["Content-Type"]
        if kind == "application/json":
            found: dict[str, Any] = json.loads(raw)
            return found
        form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw)
        parts = {str(part.get_param("name", header="content-disposition")): part for part in form.get_payload()}  # type: ignore[union-attr]  # a form has parts
        return {name: _value(part) for name, part in parts.items()}

    def _json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _value(part: Any) -> Any:
    content = part.get_payload(decode=True)
    if part.get_filename():
        return content
    text = content.decode()
    return json.loads(text) if text.startswith("{") else text


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = Telegram(self.server_address[1])


@contextmanager
def serving() -> Iterator[Telegram]:
    """Serves Telegram on a port of its own; at the end nothing malformed may have been sent to it."""
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
