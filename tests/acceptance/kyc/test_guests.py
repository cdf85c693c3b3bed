"""Guests who send pictures of specimen documents over WhatsApp and Telegram, read by the real reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask.testing import FlaskClient

from cli.specimens import Distortion, Person, draw, invent
from tests.support.environment import Servers
from tests.support.polling import eventually
from tests.support.talk import Bot, Phone, add_telegram, add_whatsapp, number
from tests.support.workers import Workers

PHOTO = Distortion(rotation=2.0, perspective=0.02, noise=4, light=0.2, jpeg=85)


def guest(surname: str, given_names: str, **changes: Any) -> Person:
    """Somebody who does not exist, under a name that the sample reservations know or not."""
    named = replace(invent(7), surname=surname, given_names=given_names, nationality="ECU", expires=date(2031, 5, 1))
    return replace(named, **changes)


def outcome(client: FlaskClient, execution_id: str, *, sensitive: bool = False) -> dict[str, Any]:
    """The output of an execution, once it has ended, as somebody sees it who may see what is sensitive or not."""

    def ended() -> dict[str, Any] | None:
        shown = {"show_sensitive": "true"} if sensitive else {}
        found: Any = client.get(f"/api/v1/executions/{execution_id}", query_string=shown).json
        assert found["status"] not in {"failed", "cancelled"}, found["error"]
        return dict(found["output"]) if found["status"] == "completed" else None

    return eventually(ended, 60)


def only_execution(client: FlaskClient) -> str:
    found: Any = client.get("/api/v1/executions").json
    (row,) = found["data"]
    return str(row["execution_id"])


def checks_in(client: FlaskClient, phone: Phone) -> None:
    """The conversation of a guest with a card: the front, then the back that is asked for."""
    person = guest("Muñoz Ávila", "María José")
    phone.writes("Hola")
    phone.hears("¿Está de acuerdo?")
    phone.presses("Sí")
    phone.hears("envíe una foto")
    phone.writes("no tengo ganas")
    phone.hears("Necesito una foto")
    phone.sends(draw("td1_front", person, PHOTO, seed=3))
    phone.hears("el reverso", 60)
    phone.sends(draw("td1_back", person, PHOTO, seed=4))
    assert "habitación 204" in phone.hears("Su registro está completo", 60)
    execution_id = only_execution(client)
    assert outcome(client, execution_id)["holder"]["number"] == "[sensitive]"
    found = outcome(client, execution_id, sensitive=True)
    assert (found["outcome"], found["reason"]) == ("verified", "zone")
    assert found["holder"]["number"] == person.number
    assert found["reservation"]["reservation"]["code"] == "HTL-1001"
    assert found["evidence"]["documents"][-1]["zone"]["valid"]


def test_a_guest_is_checked_in_over_whatsapp(client: FlaskClient, kyc: str, servers: Servers, workers: Workers) -> None:
    checks_in(client, Phone(client, servers.whatsapp, add_whatsapp(client, kyc)))


def test_a_guest_is_checked_in_over_telegram(client: FlaskClient, kyc: str, servers: Servers, workers: Workers) -> None:
    checks_in(client, Bot(client, servers.telegram, add_telegram(client, kyc)))


def test_print_that_differs_from_the_zone_goes_to_a_person(
    client: FlaskClient, kyc: str, servers: Servers, workers: Workers
) -> None:
    desk = number()
    channel = add_whatsapp(client, kyc, desk)
    phone, clerk = Phone(client, servers.whatsapp, channel), Phone(client, servers.whatsapp, channel, desk)
    clerk.writes("turno de mañana")
    person = guest("Núñez", "Óscar")
    front, back = draw("td1_front", person), draw("td1_back", replace(person, number="ZZ9999999"))
    phone.writes("Buenas")
    phone.hears("¿Está de acuerdo?")
    phone.writes("sí")
    phone.hears("envíe una foto")
    phone.sends(front, back)
    clerk.hears("Revisar documento (differs)", 60)
    clerk.presses("Rechazar")
    phone.hears("No hemos podido verificar")
    found = outcome(client, only_execution(client))
    assert (found["outcome"], found["approved_by"]) == ("declined", f"whatsapp:{desk}")
