"""What is sent to WhatsApp, and what its refusals mean."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.channel import whatsapp_out
from aispine.channel.adapter import Parcel
from aispine.channel.message import SendStatus, outgoing
from aispine.channel.telegram import Telegram
from aispine.channel.whatsapp import WhatsApp
from aispine.errors import InvalidRequest
from aispine.store.ids import new_id
from cli.standin.shapes import misfit


def _body(message: dict[str, Any], *, user: str = "34600111222", media_id: str | None = None) -> dict[str, Any]:
    made = outgoing(message)
    WhatsApp().check_outgoing(made)
    return whatsapp_out.body(Parcel(outbox_id=new_id(), user_id=user, message=made), media_id)


@pytest.mark.parametrize(
    "message",
    [
        {"text": "Hola"},
        {"text": "¿Acepta?", "buttons": ["Sí", {"title": "No", "value": False}]},
        {"template": {"name": "hello", "language": "es", "parameters": ["María"]}},
    ],
)
def test_every_kind_of_message_fits_what_whatsapp_takes(message: dict[str, Any]) -> None:
    assert misfit(_body(message)) is None


def test_a_picture_goes_as_an_image_and_other_files_as_documents() -> None:
    for media_type, kind in (("image/png", "image"), ("application/pdf", "document")):
        file = {"file_id": "f", "media_type": media_type, "name": "a"}
        body = _body({"file": file, "text": "Here"}, media_id="m1")
        assert body["type"] == kind
        assert misfit(body) is None


def test_whoever_hides_the_number_is_a_recipient() -> None:
    body = _body({"text": "Hi"}, user="US.13491208655302741918")
    assert (body["recipient"], "to" in body, misfit(body)) == ("US.13491208655302741918", False, None)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 4097}, "text"),
        ({"text": "x" * 1025, "buttons": ["a"]}, "text"),
        ({"text": "x", "buttons": ["a", "b", "c", "d"]}, "buttons"),
        ({"text": "x", "buttons": ["a" * 21]}, "buttons"),
        ({"buttons": ["a"], "file": {"file_id": "f"}}, "text"),
        ({"text": "x", "buttons": [7]}, "buttons"),
        ({"file": "f"}, "file"),
        ({"template": {"name": "n"}}, "template"),
        ({"text": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_message_that_cannot_go_is_refused_by_its_field(message: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _body(message)
    assert caught.value.field == field


@pytest.mark.parametrize("code", [4, 80007, 130429, 131056, 131000, 131016, 131057])
def test_codes_that_may_pass_are_tried_again(code: int) -> None:
    assert not whatsapp_out.judge(code, None, status=400).permanent


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (131026, "rejected"),
        (131051, "rejected"),
        (132001, "rejected"),
        (131047, "window_closed"),
        (190, "unauthorized"),
        (200, "unauthorized"),
        (299, "unauthorized"),
        (100, "rejected"),
    ],
)
def test_codes_that_stay_are_not(code: int, kind: str) -> None:
    found = whatsapp_out.judge(code, "because", status=400)
    assert (found.permanent, found.code) == (True, kind)


@pytest.mark.parametrize("code", [131026, 131047, 131051, 132001, 132069, 190, 200])
def test_a_code_for_good_says_more_than_the_status_that_it_comes_with(code: int) -> None:
    assert whatsapp_out.judge(code, None, status=500).permanent
    assert not whatsapp_out.judge(2, None, status=503).permanent
    assert not whatsapp_out.judge(None, None, status=502).permanent


def test_a_picture_that_is_too_large_for_one_goes_as_a_document_and_what_is_larger_still_is_refused() -> None:
    file = {"file_id": "f", "media_type": "image/png", "name": "a.png", "size": 5_000_001}
    assert _body({"file": file}, media_id="m1")["type"] == "document"
    with pytest.raises(InvalidRequest):
        _body({"file": file | {"size": 100_000_001}}, media_id="m1")


def test_too_many_messages_to_one_person_wait_at_least_six_seconds() -> None:
    assert whatsapp_out.judge(131056, None, status=400).retry_after == 6.0
    assert whatsapp_out.judge(None, None, status=503).retry_after is not None
    assert whatsapp_out.judge(None, None, status=429, after="17").retry_after == 17.0


def test_a_later_report_raises_what_is_known_and_never_lowers_it() -> None:
    order = [
        SendStatus.QUEUED,
        SendStatus.SENDING,
        SendStatus.SENT,
        SendStatus.FAILED,
        SendStatus.DELIVERED,
        SendStatus.READ,
    ]
    assert [status.rank for status in order] == sorted(status.rank for status in order)


def test_telegram_wants_a_bots_token_and_makes_up_the_secret() -> None:
    made = Telegram().define({"bot_token": "123456789:AAFaketokenfaketoken"})
    assert made.address == "123456789"
    assert Telegram().verify(
        made.credentials, {"X-Telegram-Bot-Api-Secret-Token": made.credentials["secret_token"]}, b""
    )
    assert not Telegram().verify(made.credentials, {}, b"")
    with pytest.raises(InvalidRequest, match="bot_token"):
        Telegram().define({"bot_token": "nonsense"})
