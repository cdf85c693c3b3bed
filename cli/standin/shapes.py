"""What WhatsApp takes: the shape of a message that is sent, from Meta's own description of the request."""

from __future__ import annotations

import re
from typing import Any, Final

_TYPES: Final = frozenset({"text", "image", "document", "interactive", "template"})
_KEYS: Final = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "biz_opaque_callback_data", "type", "context"}
)


def misfit(body: Any) -> str | None:
    """What is wrong with the body of a message, None when nothing is."""
    if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
        return "messaging_product must be whatsapp"
    kind = body.get("type")
    if kind not in _TYPES or not isinstance(body.get(kind), dict):
        return f"type {kind!r} has no object of its own"
    if unknown := body.keys() - _KEYS - {kind}:
        return f"unexpected keys {sorted(unknown)}"
    if ("to" in body) == ("recipient" in body) or ("to" in body and not re.fullmatch(r"\d{5,20}", body["to"])):
        return "exactly one of to (digits) and recipient"
    if len(body.get("biz_opaque_callback_data", "")) > 512:
        return "biz_opaque_callback_data is too long"
    checks = {"text": _text, "interactive": _interactive, "template": _template, "image": _media, "document": _media}
    return checks[kind](body[kind])


def _text(part: dict[str, Any]) -> str | None:
    fits = part.keys() <= {"body", "preview_url"} and 0 < len(part.get("body", "")) <= 4096
    return None if fits else "text needs a body of 1 to 4096 characters"


def _interactive(part: dict[str, Any]) -> str | None:
    buttons = part.get("action", {}).get("buttons", [])
    if part.get("type") != "button" or not 0 < len(part.get("body", {}).get("text", "")) <= 1024:
        return "interactive needs a body of 1 to 1024 characters"
    if not 1 <= len(buttons) <= 3:
        return "1 to 3 buttons"
    return next((f"button {button}" for button in buttons if not _is_button(button)), None)


def _is_button(button: dict[str, Any]) -> bool:
    reply = button.get("reply", {})
    fits = 0 < len(reply.get("title", "")) <= 20 and 0 < len(reply.get("id", "")) <= 256
    return button.get("type") == "reply" and fits


def _template(part: dict[str, Any]) -> str | None:
    fits = isinstance(part.get("name"), str) and isinstance(part.get("language", {}).get("code"), str)
    return None if fits else "template needs a name and a language"


def _media(part: dict[str, Any]) -> str | None:
    fits = part.keys() <= {"id", "caption", "filename"} and isinstance(part.get("id"), str)
    return None if fits else "media needs an id"
