"""What WhatsApp's webhooks say: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aispine.channel.adapter import Notice
from aispine.channel.foreign import bounded, mapping, moment, number, objects, text
from aispine.channel.message import Incoming, Kind, Media, Report

_STATUSES: Final = frozenset({"sent", "delivered", "read", "played", "failed"})
_MEDIA: Final = {
    "image": Kind.IMAGE,
    "document": Kind.DOCUMENT,
    "audio": Kind.AUDIO,
    "video": Kind.VIDEO,
    "sticker": Kind.STICKER,
}
_OTHERS: Final = {
    "location": Kind.LOCATION,
    "contacts": Kind.CONTACTS,
    "reaction": Kind.REACTION,
    "order": Kind.ORDER,
    "unsupported": Kind.UNSUPPORTED,
}


def read(payload: Any) -> Iterator[Notice]:
    """Every message, status and event of a webhook, in its order."""
    for entry in objects(mapping(payload).get("entry")):
        for change in objects(entry.get("changes")):
            yield from _change(change)


def _change(change: Mapping[str, Any]) -> Iterator[Notice]:
    value = mapping(change.get("value"))
    address = text(mapping(value.get("metadata")).get("phone_number_id"))
    names = dict(_names(value))
    found = False
    for message in objects(value.get("messages")):
        found = True
        yield Notice(address=address, what=_message(message, names), event="message")
    for status in objects(value.get("statuses")):
        found = True
        yield Notice(address=address, what=_report(status), event="status")
    if not found:
        event = "errors" if value.get("errors") else text(change.get("field")) or "unknown"
        yield Notice(address=address, what=None, event=event)


def _names(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for contact in objects(value.get("contacts")):
        name = text(mapping(contact.get("profile")).get("name"))
        for key in ("wa_id", "user_id"):
            user = text(contact.get(key))
            if user is not None and name is not None:
                yield user, name


def _message(message: Mapping[str, Any], names: Mapping[str, str]) -> Incoming | None:
    # Whoever hides the phone number has a user id alone.
    user = text(message.get("from")) or text(message.get("from_user_id"))
    message_id = text(message.get("id"))
    if user is None or message_id is None:
        return None
    kind = text(message.get("type")) or "unknown"
    return Incoming(
        message_id=message_id,
        user_id=user,
        name=names.get(user) or names.get(text(message.get("from_user_id")) or ""),
        reply_to=text(mapping(message.get("context")).get("id")),
        sent_at=moment(message.get("timestamp")),
        **_content(kind, mapping(message.get(kind)), message),
    )


def _content(kind: str, part: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "text":
        return {"kind": Kind.TEXT, "text": text(part.get("body"))}
    if kind in _MEDIA:
        return _media(_MEDIA[kind], part)
    if kind == "interactive":
        return _interactive(part)
    if kind == "button":
        return {"kind": Kind.BUTTON, "text": text(part.get("text")), "choice": text(part.get("payload"))}
    if kind in _OTHERS:
        shown = {name: message[name] for name in (kind, "errors") if name in message}
        return {"kind": _OTHERS[kind], "text": text(part.get("text")), "detail": bounded(shown)}
    return {"kind": Kind.UNKNOWN, "detail": bounded(dict(message))}


def _media(kind: Kind, part: Mapping[str, Any]) -> dict[str, Any]:
    media_id = text(part.get("id"))
    if media_id is None:
        return {"kind": Kind.UNKNOWN, "detail": bounded(dict(part))}
    media = Media(
        media_id=media_id,
        media_type=text(part.get("mime_type")),
        sha256=text(part.get("sha256")),
        name=text(part.get("filename")),
    )
    return {"kind": kind, "text": text(part.get("caption")), "media": media}


def _interactive(part: Mapping[str, Any]) -> dict[str, Any]:
    kind = text(part.get("type")) or ""
    reply = mapping(part.get(kind))
    if kind in {"button_reply", "list_reply"}:
        return {"kind": Kind.BUTTON, "text": text(reply.get("title")), "choice": text(reply.get("id"))}
    if kind == "nfm_reply":
        return {"kind": Kind.FORM, "text": text(reply.get("body")), "detail": bounded(dict(reply))}
    return {"kind": Kind.UNKNOWN, "detail": bounded(dict(part))}


def _report(status: Mapping[str, Any]) -> Report | None:
    message_id, state = text(status.get("id")), text(status.get("status"))
    user = text(status.get("recipient_id")) or text(status.get("recipient_user_id"))
    if message_id is None or state is None or user is None:
        return None
    error = next(objects(status.get("errors")), {})
    return Report(
        message_id=message_id,
        user_id=user,
        status=state if state in _STATUSES else f"unknown: {state}"[:100],
        opaque=text(status.get("biz_opaque_callback_data")),
        code=number(error.get("code")),
        reason=text(mapping(error.get("error_data")).get("details")) or text(error.get("title")),
    )
