"""The paths of the Graph API that AI Spine uses, served on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from cli.standin.whatsapp import ACCESS_TOKEN, NUMBER, VERSION, WhatsApp

_PARTS: Final = frozenset({"messaging_product", "type", "file"})
_POLL_SECONDS: Final = 0.05


@contextmanager
def serving() -> Iterator[WhatsApp]:
    """Serves WhatsApp on a free port of loopback."""
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True)
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = WhatsApp(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        service, path = self.server.service, self.path.partition("?")[0]
        name = path.rsplit("/", 1)[1]
        if not self._authorized():
            return
        if path.startswith("/files/") and name in service.media:
            self._send(200, service.media[name], "image/png")
        elif name == NUMBER:
            self._json(200, {"display_phone_number": "+34 600 000 000", "verified_name": "Hotel", "id": NUMBER})
        elif name in service.media or name in service.lies:
            self._json(200, service.described(name))
        else:
            self._json(404, {"error": {"message": "Unsupported get request", "code": 100}})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._authorized():
            return
        if self.path == f"/{VERSION}/{NUMBER}/media":
            self._upload(raw)
        elif self.path == f"/{VERSION}/{NUMBER}/messages":
            self._json(*self.server.service.take(_parsed(raw)))
        else:
            self._json(404, {"error": {"message": f"no such path {self.path}", "code": 100}})

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: who plays with it looks at what was sent."""

    def _upload(self, raw: bytes) -> None:
        service, content = self.server.service, _uploaded(self.headers["Content-Type"], raw)
        if content is None:
            service.problems.append("an upload needs exactly messaging_product, type and file")
            self._json(400, {"error": {"message": "Invalid parameter", "code": 100}})
        else:
            self._json(200, {"id": service.add_media(content)})

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


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _uploaded(content_type: str, raw: bytes) -> bytes | None:
    """The file of a form, None when the form is not as it must be."""
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    found = form.get_payload()
    parts = {
        part.get_param("name", header="content-disposition"): part
        for part in (found if isinstance(found, list) else ())
        if isinstance(part, Message)
    }
    content = parts["file"].get_payload(decode=True) if parts.keys() == _PARTS else None
    return content if isinstance(content, bytes) else None
