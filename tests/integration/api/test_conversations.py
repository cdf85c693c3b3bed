"""People who talk to flows, on real workers, over stand-ins of the services."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.support.environment import ROOT, Servers
from tests.support.polling import eventually
from tests.support.talk import Bot, Phone, add_telegram, add_whatsapp, number
from tests.support.workers import Workers

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
TALK = """
flow_id: talk
version: 1.0.0
name: Talk
nodes:
  - {id: come, type: input}
  - id: consent
    type: processor
    agent_id: zoe@^2
    depends_on: [come]
    input: {question: "May we read your document?"}
    config:
      action: ask
      language: en
      max_turns: 3
      schema: {required: [agrees], properties: {agrees: {type: boolean, title: consent}}}
  - id: pictures
    type: processor
    agent_id: zoe@^2
    depends_on: [consent]
    input: {question: "Please send both sides"}
    config:
      action: ask
      language: en
      schema: {required: [sides], properties: {sides: {type: array, minItems: 2, items: {format: file}}}}
  - id: tell
    type: processor
    agent_id: zoe@^2
    depends_on: [pictures]
    input: {text: "Somebody looks at it"}
    config: {action: send}
  - id: staff
    type: processor
    agent_id: zoe@^2
    depends_on: [tell]
    input: {text: "Is it good?", buttons: ["Good", "Bad"]}
    config: {action: send, to: staff, approval: review, remind_after: 1}
  - {id: review, type: approval, depends_on: [staff], timeout: 60}
  - id: bye
    type: processor
    agent_id: zoe@^2
    depends_on: [review]
    input: {text: "${nodes.review.output.approved && 'Welcome' || 'Sorry'}"}
    config: {action: send}
output: {sides: "${nodes.pictures.output.fields.sides}", by: "${nodes.review.output.by}"}
"""


def executions(client: FlaskClient) -> list[dict[str, Any]]:
    found: Any = client.get("/api/v1/executions").json
    return list(found["data"])


def ended(client: FlaskClient, status: str = "completed") -> dict[str, Any]:
    """The one execution of the tenant, once it has ended."""
    row = eventually(lambda: next((row for row in executions(client) if row["status"] == status), None))
    shown: Any = client.get(f"/api/v1/executions/{row['execution_id']}").json
    return dict(shown)


def deploy(client: FlaskClient, source: str) -> str:
    answer = client.post("/api/v1/flows", data=source, content_type="application/yaml")
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return str(answer.json["flow_id"])


def talk(client: FlaskClient, guest: Phone, clerk: Phone) -> dict[str, Any]:
    """The whole conversation, the same over every channel."""
    guest.writes("Hello")
    guest.hears("May we read")
    guest.sends_sticker()
    guest.hears("I did not understand that.\nMay we read")
    guest.presses("Yes")
    guest.hears("both sides")
    guest.sends(PNG + b"front", PNG + b"back")
    guest.hears("Somebody looks")
    clerk.hears("Is it good?")
    clerk.hears("Is it good?")
    clerk.presses("Good")
    clerk.hears("OK")
    guest.hears("Welcome")
    clerk.presses("Bad")
    clerk.hears("does not wait")
    return ended(client)


def test_a_person_is_asked_answers_and_is_answered_over_whatsapp(
    client: FlaskClient, servers: Servers, workers: Workers
) -> None:
    desk = number()
    channel = add_whatsapp(client, deploy(client, TALK), desk)
    guest, clerk = Phone(client, servers.whatsapp, channel), Phone(client, servers.whatsapp, channel, desk)
    clerk.writes("I am here")
    shown = talk(client, guest, clerk)
    assert len(shown["output"]["sides"]) == 2
    assert shown["output"]["by"] == f"whatsapp:{desk}"
    assert len(executions(client)) == 1


def test_the_same_over_telegram(client: FlaskClient, servers: Servers, workers: Workers) -> None:
    desk = number()
    channel = add_telegram(client, deploy(client, TALK), desk)
    guest, clerk = Bot(client, servers.telegram, channel), Bot(client, servers.telegram, channel, desk)
    assert len(talk(client, guest, clerk)["output"]["sides"]) == 2


def test_pictures_that_come_before_they_are_asked_for_are_kept_for_it(
    client: FlaskClient, servers: Servers, workers: Workers
) -> None:
    channel = add_whatsapp(client, deploy(client, TALK), number())
    guest = Phone(client, servers.whatsapp, channel)
    guest.sends(PNG + b"front", PNG + b"back")
    guest.hears("May we read")
    guest.writes("yes")
    guest.hears("Somebody looks")
    assert not any("both sides" in text for text in guest.texts)
    assert len(executions(client)) == 1


def test_a_credit_application_is_taken_over_a_channel_by_the_same_flow(
    client: FlaskClient, servers: Servers, workers: Workers
) -> None:
    flow = deploy(client, (ROOT / "flows" / "credit_analysis.yaml").read_text("utf-8"))
    guest = Phone(client, servers.whatsapp, add_whatsapp(client, flow))
    guest.writes("Hola, quiero un crédito")
    guest.hears("- nombre completo")
    guest.writes("Nombre: María Pérez\nCorreo: maria(arroba)example.com\nIngresos: 3.500,00\nMonto: 12.000")
    asked = guest.hears("correo electrónico no es un correo")
    assert "- plazo en meses" in asked
    assert "ingreso" not in asked
    guest.writes("maria@example.com\n24")
    shown = ended(client)
    assert shown["output"]["decision"] in {"approve", "review", "reject"}
    nodes: Any = client.get(f"/api/v1/executions/{shown['execution_id']}/results").json
    zoe = next(node for node in nodes["data"] if node["path"] == "zoe")
    assert zoe["output"]["fields"] == {
        "full_name": "María Pérez",
        "email": "maria@example.com",
        "monthly_income": 3500,
        "amount": 12000,
        "term_months": 24,
    }
    guest.writes("Otra vez, por favor")
    guest.hears("- nombre completo")
    assert len(executions(client)) == 2


def test_whoever_answers_nonsense_is_asked_a_few_times_and_no_more(
    client: FlaskClient, servers: Servers, workers: Workers
) -> None:
    source = TALK[: TALK.index("  - id: pictures")] + "output: ${nodes.consent.output}\n"
    guest = Phone(client, servers.whatsapp, add_whatsapp(client, deploy(client, source)))
    guest.writes("Hi")
    guest.hears("May we read")
    for text in ("qué?", "blue", "42"):
        guest.writes(text)
        if text != "42":
            guest.hears("May we read")
    shown = ended(client)
    assert (shown["output"]["complete"], shown["output"]["fields"]) == (False, {})
    assert len(guest.texts) == 3
