"""The Telegram Bot API."""

from __future__ import annotations

import contextlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from aispine.channel import telegram_in, wire
from aispine.channel.adapter import Definition, Fetched, Line, MediaError, Notice, Parcel, Refusal, Sent
from aispine.channel.foreign import mapping, number, text
from aispine.channel.message import Media, Outgoing
from aispine.errors import InvalidRequest, Unavailable
from aispine.guards.failures import CallError
from aispine.guards.http import Answer

LONGEST_TEXT: Final = 4096
_LONGEST_CAPTION: Final = 1024
_LARGEST_FILE: Final = 20_000_000
_TOKEN: Final = re.compile(r"(\d{3,20}):[A-Za-z0-9_-]{10,100}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_UNREACHED: Final = 5.0


class Telegram:
    """Speaks for a bot."""

    kind = "telegram"
    credentials = ("bot_token", "secret_token")
    longest_text = LONGEST_TEXT

    def define(self, values: Mapping[str, str]) -> Definition:
        match = _TOKEN.fullmatch(values.get("bot_token", ""))
        if match is None:
            hint = "@BotFather gives it; it looks like 123456789:AAF..."
            raise InvalidRequest("`bot_token` is missing or no bot's token", field="bot_token", hint=hint)
        secret = values.get("secret_token") or secrets.token_urlsafe(32)
        if not _SECRET.fullmatch(secret):
            raise InvalidRequest("`secret_token` may have letters, digits, _ and - alone", field="secret_token")
        return Definition(address=match[1], credentials={"bot_token": match[0], "secret_token": secret})

    def handshake(self, credentials: Mapping[str, str], query: Mapping[str, str]) -> str | None:  # noqa: ARG002
        return None

    def verify(self, credentials: Mapping[str, str], headers: Mapping[str, str], raw: bytes) -> bool:  # noqa: ARG002
        given = headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        return hmac.compare_digest(given.encode(), credentials["secret_token"].encode())

    def read(self, payload: Any) -> Iterator[Notice]:
        return telegram_in.read(payload)

    def check_outgoing(self, message: Outgoing) -> None:
        if message.template is not None and message.text is None:
            raise InvalidRequest("Telegram knows no templates; give the message a `text` too", field="template")
        limit = LONGEST_TEXT if message.file is None else _LONGEST_CAPTION
        if len(message.text or "") > limit:
            raise InvalidRequest(f"`text` is longer than the {limit} characters that Telegram takes", field="text")

    def send(self, line: Line, parcel: Parcel) -> Sent | Refusal:
        try:
            answer = self._post(line, parcel)
        except CallError as error:
            permanent = error.code == "rejected"
            message = _hidden(line, error.message)
            return Refusal(code=error.code, message=message, retry_after=None if permanent else _UNREACHED)
        result = mapping(wire.json_of(answer).get("result"))
        outside_id = text(result.get("message_id"))
        return _refusal(answer) if answer.status != 200 or outside_id is None else Sent(outside_id=outside_id)

    def _post(self, line: Line, parcel: Parcel) -> Answer:
        message = parcel.message
        fields: dict[str, Any] = {"chat_id": int(parcel.user_id) if parcel.user_id.isdigit() else parcel.user_id}
        if message.buttons:
            fields["reply_markup"] = {"inline_keyboard": _keyboard(parcel)}
        if parcel.content is None:
            return wire.post(line.base_url, _url(line, "sendMessage"), {**fields, "text": message.text})
        return self._post_file(line, parcel, fields)

    def _post_file(self, line: Line, parcel: Parcel, fields: Mapping[str, Any]) -> Answer:
        file = parcel.message.file or {}
        media_type = str(file.get("media_type", "application/octet-stream"))
        is_photo = media_type in {"image/jpeg", "image/png"}
        part = wire.Part(name=str(file.get("name", "file")), media_type=media_type, content=parcel.content or b"")
        form: dict[str, str | wire.Part] = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()
        }
        if parcel.message.text:
            form["caption"] = parcel.message.text
        form["photo" if is_photo else "document"] = part
        return wire.post_form(line.base_url, _url(line, "sendPhoto" if is_photo else "sendDocument"), form)

    def acknowledge(self, line: Line, body: Mapping[str, Any]) -> None:
        query = mapping(body.get("detail")).get("callback_query_id")
        # The button turns for some seconds longer when that is not heard: no reason to leave the message unread.
        with contextlib.suppress(CallError):
            if query:
                wire.post(line.base_url, _url(line, "answerCallbackQuery"), {"callback_query_id": query})

    def fetch(self, line: Line, media: Media) -> Fetched:
        try:
            answer = wire.post(line.base_url, _url(line, "getFile"), {"file_id": media.media_id})
            path = text(mapping(wire.json_of(answer).get("result")).get("file_path"))
            if answer.status != 200 or path is None or ".." in path:
                refused = _refusal(answer)
                raise MediaError(refused.message, code=refused.code, retryable=not refused.permanent)
            url = f"{line.base_url}/file/bot{line.credentials['bot_token']}/{quote(path)}"
            found = wire.download(line.base_url, url, _LARGEST_FILE)
        except CallError as error:
            retryable = error.code in {"unavailable", "timeout"}
            raise MediaError(_hidden(line, error.message), code=error.code, retryable=retryable) from error
        if found.status != 200:
            raise MediaError(f"the file was answered with status {found.status}", code="unavailable", retryable=True)
        return Fetched(content=found.body, media_type=media.media_type, name=media.name)

    def check(self, line: Line) -> Mapping[str, Any]:
        try:
            answer = wire.post(line.base_url, _url(line, "getMe"), {})
        except CallError as error:
            raise Unavailable(f"Telegram cannot be asked: {_hidden(line, error.message)}", hint=error.hint) from error
        if answer.status != 200:
            raise InvalidRequest(f"Telegram refuses: {_refusal(answer).message}", field="bot_token")
        found = mapping(wire.json_of(answer).get("result"))
        return {name: found[name] for name in ("username", "first_name") if name in found}


def _url(line: Line, method: str) -> str:
    return f"{line.base_url}/bot{line.credentials['bot_token']}/{method}"


def _hidden(line: Line, message: str) -> str:
    """The token is a part of every URL, and belongs in no log."""
    return message.replace(line.credentials["bot_token"], "...")


def _keyboard(parcel: Parcel) -> list[list[dict[str, str]]]:
    return [
        [{"text": button.title, "callback_data": f"{parcel.outbox_id}:{index}"}]
        for index, button in enumerate(parcel.message.buttons)
    ]


def _refusal(answer: Answer) -> Refusal:
    found = wire.json_of(answer)
    code = number(found.get("error_code")) or answer.status
    message = (text(found.get("description")) or "Telegram refused")[:500]
    after = number(mapping(found.get("parameters")).get("retry_after"))
    if code == 429 or code >= 500:
        kind = "rate_limited" if code == 429 else "unavailable"
        return Refusal(code=kind, message=message, retry_after=float(after or _UNREACHED), detail={"status": code})
    kind = "unauthorized" if code in {401, 404} else "rejected"
    return Refusal(code=kind, message=message, detail={"status": code})
