"""What is sent to WhatsApp, and what it means when WhatsApp refuses."""

from __future__ import annotations

from typing import Any, Final

from aispine.channel.adapter import LARGEST_MEDIA, Parcel, Refusal
from aispine.channel.foreign import mapping, number, text
from aispine.channel.message import Outgoing, Template
from aispine.channel.wire import json_of
from aispine.errors import InvalidRequest
from aispine.guards.http import Answer

LONGEST_TEXT: Final = 4096
_LONGEST_CAPTION: Final = 1024
_MOST_BUTTONS: Final = 3
_LONGEST_TITLE: Final = 20
_LARGEST_IMAGE: Final = 5_000_000
"""Bytes of a picture; a larger one goes as a document."""
_TO_ONE_PERSON: Final = 131056
_PACE: Final = 6.0
"""Seconds that WhatsApp wants between two messages to one person, once it says so."""
_LATER: Final = {4: 60.0, 80007: 60.0, 130429: 5.0, _TO_ONE_PERSON: _PACE, 131000: 5.0, 131016: 10.0, 131057: 60.0}
"""Codes after which the same message may get through, with the seconds until then."""
_WINDOW: Final = 131047


def check(message: Outgoing) -> None:
    """Raises `InvalidRequest` for what WhatsApp takes in no case."""
    has_body = bool(message.buttons) or message.file is not None
    limit = _LONGEST_CAPTION if has_body else LONGEST_TEXT
    if len(message.text or "") > limit:
        raise InvalidRequest(f"`text` is longer than the {limit} characters that WhatsApp takes here", field="text")
    if len(message.buttons) > _MOST_BUTTONS:
        raise InvalidRequest(f"WhatsApp takes {_MOST_BUTTONS} buttons at most", field="buttons")
    for button in message.buttons:
        if len(button.title) > _LONGEST_TITLE:
            raise InvalidRequest(
                f"the button `{button.title}` is longer than {_LONGEST_TITLE} characters", field="buttons"
            )
    if message.file is not None and int(message.file.get("size") or 0) > LARGEST_MEDIA:
        raise InvalidRequest(f"the file is larger than the {LARGEST_MEDIA:,} bytes that WhatsApp takes", field="file")
    if message.buttons and message.file is not None:
        raise InvalidRequest("WhatsApp takes buttons under a text, not under a file", field="buttons")


def body(parcel: Parcel, media_id: str | None) -> dict[str, Any]:
    """The JSON of a message; whoever hides the phone number is a `recipient`, everybody else is reached by `to`."""
    user = {"to" if parcel.user_id.isdigit() else "recipient": parcel.user_id}
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **user,
        "biz_opaque_callback_data": parcel.outbox_id,
        **_content(parcel, media_id),
    }


def _content(parcel: Parcel, media_id: str | None) -> dict[str, Any]:
    message = parcel.message
    if message.template is not None:
        return {"type": "template", "template": _template(message.template)}
    if media_id is not None:
        return _media(message, media_id)
    if message.buttons:
        return {"type": "interactive", "interactive": _buttons(parcel)}
    return {"type": "text", "text": {"preview_url": False, "body": message.text}}


def _template(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
    if template.parameters:
        parameters = [{"type": "text", "text": value} for value in template.parameters]
        found["components"] = [{"type": "body", "parameters": parameters}]
    return found


def _media(message: Outgoing, media_id: str) -> dict[str, Any]:
    file = message.file or {}
    caption = {"caption": message.text} if message.text else {}
    if str(file.get("media_type", "")) in {"image/jpeg", "image/png"} and int(file.get("size") or 0) <= _LARGEST_IMAGE:
        return {"type": "image", "image": {"id": media_id, **caption}}
    return {"type": "document", "document": {"id": media_id, "filename": str(file.get("name", "file")), **caption}}


def _buttons(parcel: Parcel) -> dict[str, Any]:
    buttons = [
        {"type": "reply", "reply": {"id": f"{parcel.outbox_id}:{index}", "title": button.title}}
        for index, button in enumerate(parcel.message.buttons)
    ]
    return {"type": "button", "body": {"text": parcel.message.text}, "action": {"buttons": buttons}}


def refusal(answer: Answer) -> Refusal:
    """What an answer means that is no success."""
    error = mapping(json_of(answer).get("error"))
    said = text(mapping(error.get("error_data")).get("details")) or text(error.get("message"))
    return judge(number(error.get("code")), said, status=answer.status, after=answer.headers.get("Retry-After"))


def judge(code: int | None, said: str | None, *, status: int = 0, after: str | None = None) -> Refusal:
    """What one of WhatsApp's error codes means, in an answer or in a status that comes later."""
    message = f"{said or 'WhatsApp refused the message'}"[:500] + (f" ({code})" if code is not None else "")
    detail: dict[str, Any] = {"status": status, "code": code}
    if code == _TO_ONE_PERSON:
        detail["pace"] = _PACE
    if code in _LATER or (not _is_for_good(code) and (status == 429 or status >= 500)):
        seconds = float(after) if after and after.isdigit() else _LATER.get(code or 0, 5.0)
        kind = "rate_limited" if code in {4, 80007, 130429, _TO_ONE_PERSON} or status == 429 else "unavailable"
        return Refusal(code=kind, message=message, retry_after=min(seconds, 3600.0), detail=detail)
    return Refusal(code=_kind(code, status), message=message, detail=detail)


def _is_for_good(code: int | None) -> bool:
    """True for codes that say more than the status that they come with."""
    return code in {_WINDOW, 131026, 131051} or 132000 <= (code or 0) < 133000 or _is_of_authorization(code)


def _is_of_authorization(code: int | None) -> bool:
    return code in {0, 3, 10, 190} or 200 <= (code or 0) < 300


def _kind(code: int | None, status: int) -> str:
    if code == _WINDOW:
        return "window_closed"
    if _is_of_authorization(code) or status in {401, 403}:
        return "unauthorized"
    return "rejected"
