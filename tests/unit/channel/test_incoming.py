"""What webhooks say, of whatever shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aispine.channel import telegram_in, whatsapp_in
from aispine.channel.message import Incoming, Kind, Report
from tests.support import whatsapp


def _whatsapp(message: dict[str, Any]) -> Incoming:
    payload = json.loads(
        whatsapp.webhook({"from": "34600111222", "id": "wamid.1", "timestamp": "1764000000", **message})
    )
    (notice,) = whatsapp_in.read(payload)
    assert notice.address == whatsapp.NUMBER
    assert isinstance(notice.what, Incoming)
    return notice.what


def _telegram(message: dict[str, Any]) -> Incoming:
    chat = {"id": 77, "type": "private"}
    update = {"update_id": 5, "message": {"message_id": 1, "date": 1764000000, "chat": chat, **message}}
    (notice,) = telegram_in.read(update)
    assert isinstance(notice.what, Incoming)
    return notice.what


def test_a_text_of_whatsapp_says_who_wrote_it_and_when() -> None:
    found = _whatsapp({"type": "text", "text": {"body": "Hola"}})
    assert (found.kind, found.text, found.user_id, found.name) == (Kind.TEXT, "Hola", "34600111222", "María Pérez")
    assert found.sent_at is not None
    assert found.sent_at.isoformat() == "2025-11-24T16:00:00+00:00"


def test_a_sender_without_a_phone_number_is_known_by_a_user_id() -> None:
    message = {"from_user_id": "US.13491208655302741918", "id": "wamid.2", "type": "text", "text": {"body": "Hi"}}
    (notice,) = whatsapp_in.read(json.loads(whatsapp.webhook(message)))
    assert isinstance(notice.what, Incoming)
    assert (notice.what.user_id, notice.what.name) == ("US.13491208655302741918", "María Pérez")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": "image", "image": {"id": "m", "mime_type": "image/jpeg", "sha256": "x"}}, Kind.IMAGE),
        ({"type": "document", "document": {"id": "m", "filename": "a.pdf"}}, Kind.DOCUMENT),
        ({"type": "audio", "audio": {"id": "m", "voice": True}}, Kind.AUDIO),
        ({"type": "sticker", "sticker": {"id": "m", "animated": False}}, Kind.STICKER),
        ({"type": "button", "button": {"payload": "yes", "text": "Yes"}}, Kind.BUTTON),
        ({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1"}}}, Kind.BUTTON),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1"}}}, Kind.BUTTON),
        ({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}}, Kind.FORM),
        ({"type": "interactive", "interactive": {"type": "of_tomorrow"}}, Kind.UNKNOWN),
        ({"type": "location", "location": {"latitude": 1.5, "longitude": 2}}, Kind.LOCATION),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}}]}, Kind.CONTACTS),
        ({"type": "reaction", "reaction": {"emoji": "👍", "message_id": "w"}}, Kind.REACTION),
        ({"type": "order", "order": {"catalog_id": "1"}}, Kind.ORDER),
        ({"type": "unsupported", "errors": [{"code": 131051}]}, Kind.UNSUPPORTED),
        ({"type": "hologram", "hologram": {}}, Kind.UNKNOWN),
        ({"type": "image", "image": "a text"}, Kind.UNKNOWN),
        ({}, Kind.UNKNOWN),
    ],
)
def test_every_kind_of_whatsapp_message_is_told_apart(message: dict[str, Any], kind: Kind) -> None:
    assert _whatsapp(message).kind is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"text": "Hola"}, Kind.TEXT),
        ({"photo": [{"file_id": "small"}, {"file_id": "large"}]}, Kind.IMAGE),
        ({"document": {"file_id": "d", "file_name": "a.pdf", "mime_type": "application/pdf"}}, Kind.DOCUMENT),
        ({"document": {"file_id": "d", "mime_type": "image/png"}}, Kind.IMAGE),
        ({"voice": {"file_id": "v"}}, Kind.AUDIO),
        ({"sticker": {"file_id": "s"}}, Kind.STICKER),
        ({"location": {"latitude": 1}}, Kind.LOCATION),
        ({"contact": {"phone_number": "1"}}, Kind.CONTACTS),
        ({"dice": {"value": 3}}, Kind.UNKNOWN),
    ],
)
def test_every_kind_of_telegram_message_is_told_apart(message: dict[str, Any], kind: Kind) -> None:
    assert _telegram(message).kind is kind


def test_the_largest_size_of_a_photo_is_taken() -> None:
    media = _telegram({"photo": [{"file_id": "small"}, {"file_id": "large"}]}).media
    assert media is not None
    assert media.media_id == "large"


def test_a_pressed_button_of_telegram_is_a_choice() -> None:
    query = {"id": "9", "data": "o:1", "from": {"id": 77}, "message": {"message_id": 4, "chat": {"id": 77}}}
    (notice,) = telegram_in.read({"update_id": 6, "callback_query": query})
    assert isinstance(notice.what, Incoming)
    assert (notice.what.kind, notice.what.choice, notice.what.reply_to) == (Kind.BUTTON, "o:1", "4")


@pytest.mark.parametrize("name", ["channel_post", "my_chat_member", "poll", "message_reaction", "of_tomorrow"])
def test_other_updates_of_telegram_concern_nobody(name: str) -> None:
    (notice,) = telegram_in.read({"update_id": 7, name: {}})
    assert (notice.what, notice.event) == (None, name)


def test_a_group_of_telegram_is_no_person() -> None:
    message = {"message_id": 1, "chat": {"id": -5, "type": "group"}, "text": "Hi"}
    (notice,) = telegram_in.read({"update_id": 8, "message": message})
    assert notice.what is None


def test_a_status_says_what_came_of_a_message_and_why() -> None:
    status = {
        "id": "wamid.out1",
        "status": "failed",
        "recipient_id": "34600111222",
        "biz_opaque_callback_data": "ours",
        "errors": [{"code": 131026, "title": "Message undeliverable", "error_data": {"details": "not on WhatsApp"}}],
    }
    (notice,) = whatsapp_in.read(json.loads(whatsapp.webhook(statuses=[status])))
    assert notice.what == Report(
        message_id="wamid.out1",
        user_id="34600111222",
        status="failed",
        opaque="ours",
        code=131026,
        reason="not on WhatsApp",
    )


_NAMES = st.sampled_from(
    "entry changes value messages statuses contacts from id type text image message update_id chat photo "  # noqa: SIM905
    "callback_query metadata timestamp errors interactive document".split()
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES | st.text(), inner, max_size=5),
    max_leaves=25,
)


@given(_JSON)
def test_no_payload_whatever_its_shape_is_an_error(payload: Any) -> None:
    for read in (whatsapp_in.read, telegram_in.read):
        assert all(notice.what is None or notice.what.user_id for notice in read(payload))
