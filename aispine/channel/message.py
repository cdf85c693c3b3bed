"""What people and the platform say to each other, the same for every channel: one message in, one message out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from aispine.errors import InvalidRequest


class Kind(StrEnum):
    """What a message that came in is; `unknown` for what the channel calls by a name that is not here."""

    TEXT = "text"
    IMAGE = "image"
    DOCUMENT = "document"
    AUDIO = "audio"
    VIDEO = "video"
    STICKER = "sticker"
    BUTTON = "button"
    FORM = "form"
    LOCATION = "location"
    CONTACTS = "contacts"
    REACTION = "reaction"
    ORDER = "order"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


STATUS = "status"
"""The kind of a row that tells how a message that went out fared."""


class SendStatus(StrEnum):
    """How a message that went out fares. A later report raises it and never lowers it."""

    QUEUED = "queued"
    SENDING = "sending"
    DROPPED = "dropped"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {status: rank for rank, status in enumerate(SendStatus)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A file that came with a message, before it is fetched. `sha256` in hex or base64, as the channel said it."""

    media_id: str
    media_type: str | None = None
    sha256: str | None = None
    name: str | None = None
    size: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A message that came in. `user_id` is opaque; `choice` is the id of the button that was pressed."""

    message_id: str
    user_id: str
    kind: Kind
    text: str | None = None
    media: Media | None = None
    choice: str | None = None
    reply_to: str | None = None
    name: str | None = None
    sent_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """How a message that went out fares; `opaque` is what was sent along with it and came back."""

    message_id: str
    user_id: str
    status: str
    opaque: str | None = None
    code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """A button of a message that goes out; `value` is what a press of it means, and stays here."""

    title: str
    value: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A message that was approved beforehand; `parameters` fill its body in order."""

    name: str
    language: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A message that goes out: a text, a file with the text as its caption, buttons under a text, or a template.

    `file` is a reference to a stored file.
    """

    text: str | None = None
    file: Mapping[str, Any] | None = None
    buttons: tuple[Button, ...] = ()
    template: Template | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it is stored."""
        found: dict[str, Any] = {}
        if self.text is not None:
            found["text"] = self.text
        if self.file is not None:
            found["file"] = dict(self.file)
        if self.buttons:
            found["buttons"] = [{"title": button.title, "value": button.value} for button in self.buttons]
        if self.template is not None:
            template = self.template
            found["template"] = {
                "name": template.name,
                "language": template.language,
                "parameters": list(template.parameters),
            }
        return found


def outgoing(values: Mapping[str, Any]) -> Outgoing:
    """Reads a message that goes out from plain values. Raises `InvalidRequest` naming the field."""
    _check_names(values, {"text", "file", "buttons", "template"}, "message")
    text, file = values.get("text"), values.get("file")
    if text is not None and not (isinstance(text, str) and text.strip()):
        raise InvalidRequest("`text` must be a text that is not empty", field="text")
    if file is not None and not (isinstance(file, Mapping) and isinstance(file.get("file_id"), str)):
        raise InvalidRequest("`file` must be a reference to a file, with its `file_id`", field="file")
    buttons = tuple(map(_button, values.get("buttons") or ()))
    template = None if values.get("template") is None else _template(values["template"])
    if template is None and text is None and file is None:
        raise InvalidRequest("a message needs a `text`, a `file` or a `template`", field="text")
    if buttons and text is None:
        raise InvalidRequest("a message with buttons needs a `text`", field="text")
    return Outgoing(text=text, file=file, buttons=buttons, template=template)


def _button(value: Any) -> Button:
    if isinstance(value, str):
        value = {"title": value, "value": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("title"), str) or not value["title"].strip():
        raise InvalidRequest("each of `buttons` must be a text, or an object with a `title`", field="buttons")
    return Button(title=value["title"].strip(), value=value.get("value", value["title"].strip()))


def _template(value: Any) -> Template:
    if not isinstance(value, Mapping):
        raise InvalidRequest("`template` must be an object with `name` and `language`", field="template")
    _check_names(value, {"name", "language", "parameters"}, "template")
    names = [value.get("name"), value.get("language")]
    if not all(isinstance(name, str) and name for name in names):
        raise InvalidRequest("`template` needs a `name` and a `language`", field="template")
    return Template(
        name=str(names[0]), language=str(names[1]), parameters=tuple(map(str, value.get("parameters") or ()))
    )


def _check_names(values: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(str(name) for name in values.keys() - known)
    if unknown:
        raise InvalidRequest(f"a {what} has no field `{unknown[0][:100]}`", field=unknown[0][:100])
