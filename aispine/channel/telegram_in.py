"""What Telegram's updates say: https://core.telegram.org/bots/api#update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aispine.channel.adapter import Notice
from aispine.channel.foreign import bounded, mapping, moment, number, objects, text
from aispine.channel.message import Incoming, Kind, Media

_MEDIA: Final = {
    "document": Kind.DOCUMENT,
    "voice": Kind.AUDIO,
    "audio": Kind.AUDIO,
    "video": Kind.VIDEO,
    "animation": Kind.VIDEO,
    "video_note": Kind.VIDEO,
    "sticker": Kind.STICKER,
}
_OTHERS: Final = {"location": Kind.LOCATION, "venue": Kind.LOCATION, "contact": Kind.CONTACTS}


def read(payload: Any) -> Iterator[Notice]:
    """The one thing that an update tells."""
    update = mapping(payload)
    update_id = text(update.get("update_id"))
    name = next((name for name in update if name != "update_id"), "unknown")
    part = mapping(update.get(name))
    what = None if update_id is None else _what(name, part, update_id)
    yield Notice(address=None, what=what, event=text(name) or "unknown")


def _what(name: str, part: Mapping[str, Any], update_id: str) -> Incoming | None:
    if name == "message":
        return _message(part, update_id)
    if name == "callback_query":
        return _press(part, update_id)
    return None


def _message(message: Mapping[str, Any], update_id: str) -> Incoming | None:
    chat = mapping(message.get("chat"))
    user = text(chat.get("id"))
    # A group is no person: who is asked for a document there would show it to everybody.
    if user is None or chat.get("type") not in {None, "private"}:
        return None
    return Incoming(
        message_id=update_id,
        user_id=user,
        name=_name(mapping(message.get("from"))),
        reply_to=text(mapping(message.get("reply_to_message")).get("message_id")),
        sent_at=moment(message.get("date")),
        **_content(message),
    )


def _press(query: Mapping[str, Any], update_id: str) -> Incoming | None:
    message = mapping(query.get("message"))
    user = text(mapping(message.get("chat")).get("id")) or text(mapping(query.get("from")).get("id"))
    if user is None:
        return None
    return Incoming(
        message_id=update_id,
        user_id=user,
        kind=Kind.BUTTON,
        name=_name(mapping(query.get("from"))),
        choice=text(query.get("data")),
        reply_to=text(message.get("message_id")),
        detail={"callback_query_id": text(query.get("id"))},
    )


def _name(user: Mapping[str, Any]) -> str | None:
    parts = [text(user.get("first_name")), text(user.get("last_name"))]
    return " ".join(part for part in parts if part) or None


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    caption = text(message.get("caption"))
    if "text" in message:
        return {"kind": Kind.TEXT, "text": text(message["text"])}
    sizes = [size for size in objects(message.get("photo")) if text(size.get("file_id"))]
    if sizes:
        # The last is the largest.
        return {"kind": Kind.IMAGE, "text": caption, "media": _media(sizes[-1])}
    for name, kind in _MEDIA.items():
        part = mapping(message.get(name))
        if text(part.get("file_id")):
            is_image = (text(part.get("mime_type")) or "").startswith("image/") and name == "document"
            return {"kind": Kind.IMAGE if is_image else kind, "text": caption, "media": _media(part)}
    for name, kind in _OTHERS.items():
        if name in message:
            return {"kind": kind, "detail": bounded({name: message[name]})}
    return {"kind": Kind.UNKNOWN, "detail": bounded({"fields": sorted(map(str, message))})}


def _media(part: Mapping[str, Any]) -> Media:
    return Media(
        media_id=text(part.get("file_id")) or "",
        media_type=text(part.get("mime_type")),
        name=text(part.get("file_name")),
        size=number(part.get("file_size")),
    )
