"""A person with a telephone, as the API and the stand-ins see one: writes, presses, sends pictures, and reads."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask.testing import FlaskClient

from aispine.store.ids import new_id
from tests.support import telegram, whatsapp
from tests.support.polling import eventually
from tests.support.telegram import Telegram
from tests.support.whatsapp import WhatsApp

CHANNELS = "/api/v1/channels"


def number() -> str:
    """A phone number of nobody else."""
    return f"34{int(new_id().replace('-', '')[-11:], 16) % 10**12:012d}"


def add_whatsapp(client: FlaskClient, flow_id: str | None, *staff: str) -> str:
    """A WhatsApp channel of the client's tenant; returns its id."""
    credentials = {
        "phone_number_id": whatsapp.NUMBER,
        "access_token": whatsapp.ACCESS_TOKEN,
        "app_secret": whatsapp.APP_SECRET,
    }
    return _add(client, {"kind": "whatsapp", "flow_id": flow_id, "staff": staff, "credentials": credentials})


def add_telegram(client: FlaskClient, flow_id: str | None, *staff: str) -> str:
    """As `add_whatsapp`."""
    credentials = {"bot_token": telegram.BOT_TOKEN, "secret_token": telegram.SECRET}
    return _add(client, {"kind": "telegram", "flow_id": flow_id, "staff": staff, "credentials": credentials})


def _add(client: FlaskClient, body: dict[str, Any]) -> str:
    answer = client.post(CHANNELS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return str(answer.json["channel_id"])


class Phone:
    """Somebody on WhatsApp. `heard` are the messages that came, each as text, buttons by title, and whether a file."""

    def __init__(self, client: FlaskClient, service: WhatsApp, channel_id: str, user: str | None = None) -> None:
        self.user = user or number()
        self._client, self._service, self.channel_id = client, service, channel_id
        self._ids = itertools.count(1)
        self._read = 0
        self._last = b""

    def writes(self, text: str) -> None:
        self._post({"type": "text", "text": {"body": text}})

    def sends(self, *pictures: bytes) -> None:
        for picture in pictures:
            self._post(self._image(picture))

    def sends_album(self, *pictures: bytes) -> None:
        """A webhook for each picture, all at once."""
        with ThreadPoolExecutor(len(pictures)) as pool:
            list(pool.map(self._post, [self._image(picture) for picture in pictures]))

    def _image(self, picture: bytes) -> dict[str, Any]:
        return {"type": "image", "image": {"id": self._service.add_media(picture), "mime_type": "image/png"}}

    def sends_document(self, content: bytes, media_type: str) -> None:
        document = {"id": self._service.add_media(content), "mime_type": media_type, "filename": "document"}
        self._post({"type": "document", "document": document})

    def sends_sticker(self) -> None:
        self._post({"type": "sticker", "sticker": {"id": self._service.add_media(b"RIFF\0\0\0\0WEBPVP8 ")}})

    def presses(self, title: str) -> None:
        """Presses the button of that title in the last message that has it."""
        buttons = {
            button["reply"]["title"]: button["reply"]["id"]
            for body in self._service.to(self.user)
            for button in body.get("interactive", {}).get("action", {}).get("buttons", [])
        }
        reply = {"id": buttons[title], "title": title}
        self._post({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}})

    def hears(self, part: str, seconds: float = 180.0) -> str:
        """Waits for a message not read yet that holds `part`; what came before it is read with it."""

        def heard() -> str | None:
            texts = self.texts
            for index in range(self._read, len(texts)):
                if part in texts[index]:
                    self._read = index + 1
                    return texts[index]
            return None

        return eventually(heard, seconds, f"{part!r} to {self.user}; so far {self.texts[self._read :]}")

    @property
    def texts(self) -> list[str]:
        return self._service.texts(self.user)

    def repeats(self) -> None:
        """The service delivers the last message again."""
        self._deliver(self._last)

    def _post(self, message: dict[str, Any]) -> None:
        identity = {"from": self.user, "id": f"{self.user}-{next(self._ids)}", "timestamp": "1764000000"}
        raw = self._last = whatsapp.webhook({**identity, **message})
        self._deliver(raw)

    def _deliver(self, raw: bytes) -> None:
        path, own = f"{CHANNELS}/{self.channel_id}/webhook", self._client.application.test_client()
        assert own.post(path, data=raw, headers=whatsapp.signed(raw)).status_code == 200


class Bot(Phone):
    """Somebody on Telegram."""

    def __init__(self, client: FlaskClient, service: Telegram, channel_id: str, user: str | None = None) -> None:
        self.user = user or number()
        self._client, self._bots, self.channel_id = client, service, channel_id
        self._ids = itertools.count(1)
        self._read = 0

    def writes(self, text: str) -> None:
        self._update({"text": text})

    def sends(self, *pictures: bytes) -> None:
        for picture in pictures:
            self._update({"photo": [{"file_id": self._bots.add_file(picture)}]})

    def sends_sticker(self) -> None:
        self._update({"sticker": {"file_id": self._bots.add_file(b"RIFF\0\0\0\0WEBPVP8 ")}})

    def presses(self, title: str) -> None:
        buttons = {
            button["text"]: button["callback_data"]
            for body in self._bots.to(self.user)
            for row in body.get("reply_markup", {}).get("inline_keyboard", [])
            for button in row
        }
        query = {"id": "q", "data": buttons[title], "from": {"id": int(self.user)}}
        query["message"] = {"message_id": 1, "chat": {"id": int(self.user), "type": "private"}}
        self._send({"callback_query": query})

    @property
    def texts(self) -> list[str]:
        return [str(body.get("text") or body.get("caption") or "") for body in self._bots.to(self.user)]

    def _update(self, message: dict[str, Any]) -> None:
        common = {"message_id": next(self._ids), "date": 1764000000, "from": {"first_name": "María"}}
        self._send({"message": {**common, "chat": {"id": int(self.user), "type": "private"}, **message}})

    def _send(self, update: dict[str, Any]) -> None:
        raw = json.dumps({"update_id": int(f"{self.user[-8:]}{next(self._ids):03d}"), **update})
        path = f"{CHANNELS}/{self.channel_id}/webhook"
        headers = {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET}
        assert self._client.post(path, data=raw, headers=headers).status_code == 200
