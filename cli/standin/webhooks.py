"""Webhooks as WhatsApp sends them: bodies, and the signature over them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cli.standin.whatsapp import APP_SECRET, NUMBER

SENT_AT = "1764000000"


def webhook(
    *messages: Mapping[str, Any],
    statuses: Sequence[Mapping[str, Any]] | None = None,
    number: str = NUMBER,
    name: str = "María Pérez",
) -> bytes:
    """The body of a webhook with these messages of somebody of this name, or with statuses of ours."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "34600000000", "phone_number_id": number},
    }
    users = [message.get("from") or message.get("from_user_id") for message in messages]
    if messages:
        value["contacts"] = [{"profile": {"name": name}, "wa_id": user} for user in users]
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    entry = {"id": "waba", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, ensure_ascii=False).encode()


def signed(raw: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    """The headers of a webhook."""
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def text(user: str, body: str, message_id: str) -> dict[str, Any]:
    """A message of text."""
    return {"from": user, "id": message_id, "timestamp": SENT_AT, "type": "text", "text": {"body": body}}


def image(user: str, media_id: str, media_type: str, message_id: str) -> dict[str, Any]:
    """A picture, by the id under which the service has it."""
    about = {"id": media_id, "mime_type": media_type}
    return {"from": user, "id": message_id, "timestamp": SENT_AT, "type": "image", "image": about}


def press(user: str, button_id: str, title: str, message_id: str) -> dict[str, Any]:
    """A button that was pressed."""
    reply = {"type": "button_reply", "button_reply": {"id": button_id, "title": title}}
    return {"from": user, "id": message_id, "timestamp": SENT_AT, "type": "interactive", "interactive": reply}
