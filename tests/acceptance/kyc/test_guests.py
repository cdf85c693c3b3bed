"""Guests who send pictures of specimen documents over WhatsApp and Telegram, read by the real reader."""

from __future__ import annotations

from dataclasses import replace

from flask.testing import FlaskClient

from cli.specimens import draw
from tests.acceptance.kyc.checking_in import PHOTO, agrees, guest, node, only_execution, outcome
from tests.support.environment import Servers
from tests.support.talk import Bot, Phone, add_telegram, add_whatsapp, number
from tests.support.workers import Workers


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
    phone.hears("el reverso")
    phone.sends(draw("td1_back", person, PHOTO, seed=4))
    assert "habitación 204" in phone.hears("Su registro está completo")
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
    agrees(phone)
    phone.sends(front, back)
    clerk.hears("Revisar documento (differs)")
    clerk.presses("Rechazar")
    phone.hears("No hemos podido verificar")
    found = outcome(client, only_execution(client))
    assert (found["outcome"], found["approved_by"]) == ("declined", f"whatsapp:{desk}")


def test_an_album_with_which_a_guest_begins_is_one_execution_that_reads_both_sides_together(
    client: FlaskClient, kyc: str, servers: Servers, workers: Workers
) -> None:
    phone = Phone(client, servers.whatsapp, add_whatsapp(client, kyc))
    person = guest("Muñoz Ávila", "María José")
    phone.sends_album(draw("td1_back", person, PHOTO, seed=4), draw("td1_front", person, PHOTO, seed=3))
    phone.hears("¿Está de acuerdo?")
    phone.presses("Sí")
    phone.hears("Su registro está completo")
    execution_id = only_execution(client)
    assert outcome(client, execution_id)["outcome"] == "verified"
    read = node(client, execution_id, "document[0]/read")
    assert read is not None
    assert [page["page"] for page in read["output"]["pages"]] == [1, 2]
    assert node(client, execution_id, "document[1]/read") is None
    assert len(phone.texts) == 2


def test_a_side_that_was_read_is_not_read_again_when_the_other_one_comes(
    client: FlaskClient, kyc: str, servers: Servers, workers: Workers
) -> None:
    phone = Phone(client, servers.whatsapp, add_whatsapp(client, kyc))
    person = guest("Villavicencio Echeverría", "Juan Sebastián")
    agrees(phone)
    phone.sends(draw("td1_back", person, PHOTO, seed=4))
    phone.hears("el frente")
    phone.sends(draw("td1_front", person, PHOTO, seed=3))
    phone.hears("Su registro está completo")
    execution_id = only_execution(client)
    assert outcome(client, execution_id)["outcome"] == "verified"
    read = node(client, execution_id, "document[1]/read")
    assert read is not None
    assert [page["remembered"] for page in read["output"]["pages"]] == [True, False]
