"""A person's telephone: what it sends goes to a stack's webhook, what the stack sends arrives on it."""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import requests

from aispine.errors import StackError
from cli.standin import webhooks
from cli.standin.whatsapp import WhatsApp, text_of

_ANSWER_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message that arrived at `at` (as `time.monotonic` tells); `buttons` are ids by title."""

    text: str
    buttons: Mapping[str, str]
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What was said between this person and the other side: a text with its buttons, a press, or a picture's size."""

    by_person: bool
    at: float
    text: str = ""
    buttons: tuple[str, ...] = ()
    pressed: bool = False
    picture: int | None = None


class Phone:
    """Somebody on WhatsApp. `told` hears everything that is said, from the thread in which it is."""

    def __init__(
        self, service: WhatsApp, url: str, user: str, name: str, told: Callable[[Told], None] = lambda _: None
    ) -> None:
        self.user = user
        self._service, self._url, self._name, self._told = service, url, name, told
        self._ids = itertools.count(1)
        self._arrived: queue.SimpleQueue[Message] = queue.SimpleQueue()
        service.listeners[user] = self._arrive

    def writes(self, text: str) -> None:
        self._told(Told(by_person=True, at=time.monotonic(), text=text))
        self._post(webhooks.text(self.user, text, self._id()))

    def presses(self, title: str, message: Message) -> None:
        self._told(Told(by_person=True, at=time.monotonic(), text=title, pressed=True))
        self._post(webhooks.press(self.user, message.buttons[title], title, self._id()))

    def sends(self, *pictures: bytes) -> None:
        """Sends pictures; several as an album, which is a webhook for each, all at once."""
        messages = [self._picture(picture) for picture in pictures]
        with ThreadPoolExecutor(len(messages)) as pool:
            list(pool.map(self._post, messages))

    def receives(self, seconds: float) -> Message | None:
        """The next message, None when none comes in time."""
        try:
            return self._arrived.get(timeout=seconds)
        except queue.Empty:
            return None

    def _picture(self, picture: bytes) -> dict[str, Any]:
        self._told(Told(by_person=True, at=time.monotonic(), picture=len(picture)))
        media_type = "image/jpeg" if picture.startswith(b"\xff\xd8") else "image/png"
        return webhooks.image(self.user, self._service.add_media(picture), media_type, self._id())

    def _id(self) -> str:
        return f"wamid.{self.user}.{next(self._ids)}"

    def _post(self, message: Mapping[str, Any]) -> None:
        raw = webhooks.webhook(message, name=self._name)
        answer = requests.post(self._url, data=raw, headers=webhooks.signed(raw), timeout=_ANSWER_SECONDS)
        if answer.status_code != 200:
            raise StackError(f"the webhook answered {answer.status_code}: {answer.text[:300]}")

    def _arrive(self, body: Mapping[str, Any]) -> None:
        buttons = {
            button["reply"]["title"]: button["reply"]["id"]
            for button in body.get("interactive", {}).get("action", {}).get("buttons", [])
        }
        now = time.monotonic()
        self._arrived.put(Message(text=text_of(body), buttons=buttons, at=now))
        self._told(Told(by_person=False, at=now, text=text_of(body), buttons=tuple(buttons)))
