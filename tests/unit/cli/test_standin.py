"""How strict the stand-in for WhatsApp is."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from cli import standin
from cli.standin import ACCESS_TOKEN, NUMBER
from cli.standin.shapes import misfit

TEXT = {"messaging_product": "whatsapp", "to": "34600111222", "type": "text", "text": {"body": "Hola"}}


def buttons(*titles: str) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": str(number), "title": title}} for number, title in enumerate(titles)]
    part = {"type": "button", "body": {"text": "?"}, "action": {"buttons": replies}}
    return {**TEXT, "type": "interactive", "text": None, "interactive": part}


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(
    "body",
    [
        without(TEXT, "messaging_product"),
        without(TEXT, "to"),
        {**TEXT, "to": "+34 600"},
        {**TEXT, "recipient": "ES.1"},
        {**TEXT, "text": {"body": "x" * 4097}},
        {**TEXT, "text": {"body": "Hola", "colour": "red"}},
        {**TEXT, "type": "poll", "poll": {}},
        {**TEXT, "extra": 1},
        without(buttons("a", "b", "c", "d"), "text"),
        without(buttons("x" * 21), "text"),
        [],
    ],
)
def test_what_meta_would_refuse_is_refused(body: Any) -> None:
    assert misfit(body) is not None


def test_what_is_refused_is_remembered_and_what_is_taken_arrives() -> None:
    assert misfit(TEXT) is None
    assert misfit(without(buttons("Sí", "No"), "text")) is None
    with standin.serving() as service:
        url, key = f"{service.url}/{NUMBER}/messages", {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        assert requests.post(url, json=TEXT, timeout=5).status_code == 401
        assert requests.post(url, json={**TEXT, "to": "me"}, headers=key, timeout=5).status_code == 400
        assert requests.post(url, json=TEXT, headers=key, timeout=5).json()["messages"][0]["id"].startswith("wamid.")
        assert service.texts("34600111222") == ["Hola"]
        assert len(service.problems) == 1
