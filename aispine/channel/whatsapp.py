"""The WhatsApp Business Cloud API."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aispine.channel import whatsapp_in, whatsapp_out, wire
from aispine.channel.adapter import (
    LARGEST_MEDIA,
    Definition,
    Fetched,
    Line,
    MediaError,
    Notice,
    Parcel,
    Refusal,
    Sent,
)
from aispine.channel.foreign import objects, text
from aispine.channel.message import Media, Outgoing
from aispine.errors import InvalidRequest, Unavailable
from aispine.guards.failures import CallError
from aispine.guards.http import Answer

_MEDIA_HOSTS: Final = (".fbsbx.com", ".facebook.com", ".whatsapp.net", ".fbcdn.net")
_UNREACHED: Final = 5.0
"""Seconds until a service that could not be reached is tried again; doubled by the outbox."""


class WhatsApp:
    """Speaks for a business phone number."""

    kind = "whatsapp"
    credentials = ("access_token", "app_secret", "verify_token")
    longest_text = whatsapp_out.LONGEST_TEXT

    def define(self, values: Mapping[str, str]) -> Definition:
        number = values.get("phone_number_id", "")
        if not number.isdigit() or len(number) > 32:
            raise InvalidRequest("`phone_number_id` must be the digits of the number's id", field="phone_number_id")
        for name in ("access_token", "app_secret"):
            if not values.get(name):
                raise InvalidRequest(f"`{name}` is missing", field=name, hint=_WHERE)
        verify_token = values.get("verify_token") or secrets.token_urlsafe(24)
        found = {name: values[name] for name in ("access_token", "app_secret")}
        return Definition(address=number, credentials={**found, "verify_token": verify_token})

    def handshake(self, credentials: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        given = query.get("hub.verify_token", "").encode()
        ours = hmac.compare_digest(given, credentials["verify_token"].encode())
        return query.get("hub.challenge", "")[:1000] if ours and query.get("hub.mode") == "subscribe" else None

    def verify(self, credentials: Mapping[str, str], headers: Mapping[str, str], raw: bytes) -> bool:
        wanted = hmac.new(credentials["app_secret"].encode(), raw, hashlib.sha256).hexdigest()
        given = headers.get("X-Hub-Signature-256", "")
        return hmac.compare_digest(given.encode(), f"sha256={wanted}".encode())

    def read(self, payload: Any) -> Iterator[Notice]:
        return whatsapp_in.read(payload)

    def check_outgoing(self, message: Outgoing) -> None:
        whatsapp_out.check(message)

    def send(self, line: Line, parcel: Parcel) -> Sent | Refusal:
        try:
            media_id = self._upload(line, parcel) if parcel.content is not None else None
            if isinstance(media_id, Refusal):
                return media_id
            answer = wire.post(line.base_url, _url(line, "messages"), whatsapp_out.body(parcel, media_id), _auth(line))
        except CallError as error:
            permanent = error.code == "rejected"
            return Refusal(code=error.code, message=error.message, retry_after=None if permanent else _UNREACHED)
        return _sent(answer)

    def _upload(self, line: Line, parcel: Parcel) -> str | Refusal:
        file = parcel.message.file or {}
        media_type = str(file.get("media_type", "application/octet-stream"))
        part = wire.Part(name=str(file.get("name", "file")), media_type=media_type, content=parcel.content or b"")
        fields: dict[str, str | wire.Part] = {"messaging_product": "whatsapp", "type": media_type, "file": part}
        answer = wire.post_form(line.base_url, _url(line, "media"), fields, _auth(line))
        media_id = text(wire.json_of(answer).get("id"))
        return media_id if media_id is not None and answer.status < 300 else whatsapp_out.refusal(answer)

    def acknowledge(self, line: Line, body: Mapping[str, Any]) -> None:
        """WhatsApp waits for nothing."""

    def fetch(self, line: Line, media: Media) -> Fetched:
        try:
            found = self._describe(line, media.media_id)
            url = str(found.get("url", ""))
            _check_host(line, url)
            answer = wire.download(line.base_url, url, LARGEST_MEDIA, _auth(line))
        except CallError as error:
            retryable = error.code in {"unavailable", "timeout"}
            raise MediaError(error.message, code=error.code, retryable=retryable) from error
        if answer.status != 200:
            raise MediaError(
                f"the file was answered with status {answer.status}", code="unavailable", retryable=answer.status >= 404
            )
        _check_hash(answer.body, media.sha256, text(found.get("sha256")))
        return Fetched(
            content=answer.body, media_type=text(found.get("mime_type")) or media.media_type, name=media.name
        )

    def _describe(self, line: Line, media_id: str) -> Mapping[str, Any]:
        """Where the file is for the next five minutes."""
        answer = wire.get(line.base_url, f"{line.base_url}/{quote(media_id, safe='')}", _auth(line))
        if answer.status != 200:
            refused = whatsapp_out.refusal(answer)
            raise MediaError(refused.message, code=refused.code, retryable=not refused.permanent)
        return wire.json_of(answer)

    def check(self, line: Line) -> Mapping[str, Any]:
        fields = "display_phone_number,verified_name,quality_rating"
        try:
            answer = wire.get(line.base_url, f"{line.base_url}/{line.address}?fields={fields}", _auth(line))
        except CallError as error:
            raise Unavailable(f"WhatsApp cannot be asked: {error.message}", hint=error.hint) from error
        if answer.status != 200:
            raise InvalidRequest(f"WhatsApp refuses: {whatsapp_out.refusal(answer).message}", hint=_WHERE)
        found = wire.json_of(answer)
        return {name: found[name] for name in fields.split(",") if name in found}


_WHERE: Final = "Meta's app dashboard shows it; docs/whatsapp.md says where."


def _url(line: Line, what: str) -> str:
    return f"{line.base_url}/{line.address}/{what}"


def _auth(line: Line) -> dict[str, str]:
    return {"Authorization": f"Bearer {line.credentials['access_token']}"}


def _sent(answer: Answer) -> Sent | Refusal:
    message = next(objects(wire.json_of(answer).get("messages")), {})
    outside_id = text(message.get("id"))
    if answer.status >= 300 or outside_id is None:
        return whatsapp_out.refusal(answer)
    return Sent(outside_id=outside_id)


def _check_host(line: Line, url: str) -> None:
    """The access token goes along, so it goes to Meta alone."""
    parts = urlsplit(url)
    host, own = (parts.hostname or "").lower(), urlsplit(line.base_url)
    if parts.scheme == "https" and host.endswith(_MEDIA_HOSTS):
        return
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise MediaError(
            f"the file is said to be on {host[:100] or 'no host'}, which is not WhatsApp's", code="rejected"
        )


def _check_hash(content: bytes, *told: str | None) -> None:
    digest = hashlib.sha256(content).digest()
    for said in told:
        if said is not None and not hmac.compare_digest(_digest(said), digest):
            raise MediaError("the file is not the one that was announced: its SHA-256 differs", code="wrong_hash")


def _digest(said: str) -> bytes:
    """WhatsApp writes hashes in hex in one place and in base64 in another."""
    try:
        return bytes.fromhex(said) if len(said) == 64 else base64.b64decode(said, validate=True)
    except (ValueError, binascii.Error):
        return b""
