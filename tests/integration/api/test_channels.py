"""Channels over REST: what is registered, what their webhooks take, and what is sent over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from aispine import settings
from aispine.channel import sending
from aispine.conversation import reading
from aispine.conversation.reading import Reader
from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.files import TenantFiles
from aispine.store import outbox
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import ChannelMessageRow, ContactRow, ConversationRow, OutboxRow
from tests.support import telegram, whatsapp
from tests.support.environment import Servers
from tests.support.operations import Silence
from tests.support.whatsapp import Refused, signed, text, webhook

CHANNELS = "/api/v1/channels"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
def user() -> str:
    """A phone number of nobody else."""
    return f"34{int(new_id().replace('-', '')[-11:], 16) % 10**12:012d}"


@pytest.fixture
def made(client: FlaskClient, echo: str) -> dict[str, Any]:
    """A WhatsApp channel that starts a flow."""
    credentials = {
        "phone_number_id": whatsapp.NUMBER,
        "access_token": whatsapp.ACCESS_TOKEN,
        "app_secret": whatsapp.APP_SECRET,
    }
    body = {"kind": "whatsapp", "flow_id": echo, "staff": ["+34 600 999 888"], "credentials": credentials}
    answer = client.post(CHANNELS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return dict(answer.json)


@pytest.fixture
def bot(client: FlaskClient, echo: str) -> dict[str, Any]:
    """A Telegram channel that starts the same flow."""
    credentials = {"bot_token": telegram.BOT_TOKEN, "secret_token": telegram.SECRET}
    answer = client.post(CHANNELS, json={"kind": "telegram", "flow_id": echo, "credentials": credentials})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return dict(answer.json)


@pytest.fixture
def reader(engine_store: Store) -> Reader:
    dispatch = Dispatch(store=engine_store, celery=broker.app(), wakeups=Silence())
    return Reader(store=engine_store, celery=broker.app(), settings=settings.current(), dispatch=dispatch)


@pytest.fixture
def arrive(client: FlaskClient, made: dict[str, Any]) -> Callable[..., int]:
    """Posts a signed webhook and returns the status of the answer."""

    def post(*messages: dict[str, Any], **other: Any) -> int:
        raw = webhook(*messages, **other)
        path = f"{CHANNELS}/{made['channel_id']}/webhook"
        return client.post(path, data=raw, headers=signed(raw)).status_code

    return post


def contact_of(store: Store, channel_id: str, user: str) -> ContactRow:
    with store.session(None) as session:
        return session.scalars(select(ContactRow).filter_by(channel_id=channel_id, user_id=user)).one()


def rows(store: Store, table: Any, **same: Any) -> list[Any]:
    with store.session(None) as session:
        return list(session.scalars(select(table).filter_by(**same).order_by(table.seq)).all())


def put(store: Store, contact: ContactRow, message: dict[str, Any], **options: Any) -> str:
    with store.session(None) as session:
        return outbox.put(session, session.get_one(ContactRow, contact.contact_id), message, key=new_id(), **options)


def test_a_channel_is_shown_without_its_secrets_and_says_where_its_webhook_is(
    client: FlaskClient, made: dict[str, Any]
) -> None:
    assert made["webhook_url"].endswith(f"{CHANNELS}/{made['channel_id']}/webhook")
    assert made["made"].keys() == {"verify_token"}
    assert made["staff"] == ["34600999888"]
    shown: Any = client.get(f"{CHANNELS}/{made['channel_id']}").json
    assert shown == made | {"made": None}
    assert whatsapp.ACCESS_TOKEN not in client.get(CHANNELS).text
    tested: Any = client.post(f"{CHANNELS}/{made['channel_id']}/test").json
    assert tested["answer"]["verified_name"] == "Hotel"


def test_secrets_that_are_not_named_stay(client: FlaskClient, made: dict[str, Any]) -> None:
    url = f"{CHANNELS}/{made['channel_id']}"
    assert client.put(url, json={"name": "Front desk", "flow_id": None}).status_code == 200
    assert client.post(f"{url}/test").status_code == 200
    assert client.put(url, json={"credentials": {"access_token": "another"}}).status_code == 200
    assert client.post(f"{url}/test").status_code == 400
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"kind": "email", "credentials": {}}, 400, "kind"),
        ({"kind": "voice", "credentials": {}}, 400, "kind"),
        ({"kind": "fax", "credentials": {}}, 422, "kind"),
        ({"kind": "whatsapp"}, 422, "credentials"),
        ({"kind": "whatsapp", "credentials": {"phone_number_id": "x"}}, 400, "phone_number_id"),
        ({"kind": "whatsapp", "credentials": {"phone_number_id": "1"}}, 400, "access_token"),
        ({"kind": "telegram", "credentials": {"bot_token": "x"}}, 400, "bot_token"),
        ({"kind": "telegram", "credentials": {"token": "x"}}, 400, "credentials.token"),
        ({"kind": "telegram", "credentials": {"bot_token": telegram.BOT_TOKEN}, "flow_id": "no"}, 404, "flow_id"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_by_its_field(
    client: FlaskClient, body: dict[str, Any], status: int, field: str
) -> None:
    answer: Any = client.post(CHANNELS, json=body)
    assert (answer.status_code, answer.json["field"]) == (status, field)


def test_the_handshake_takes_the_verify_token_alone(client: FlaskClient, made: dict[str, Any]) -> None:
    url = f"{CHANNELS}/{made['channel_id']}/webhook"
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": made["made"]["verify_token"]}
    answer = client.get(url, query_string=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert client.get(url, query_string=query | {"hub.verify_token": "wrong"}).status_code == 403
    assert client.get(url).status_code == 403
    assert client.get(f"{CHANNELS}/{new_id()}/webhook", query_string=query).status_code == 404


def test_what_is_not_signed_is_refused_and_leaves_nothing(
    client: FlaskClient, engine_store: Store, made: dict[str, Any], bot: dict[str, Any], user: str
) -> None:
    raw = webhook(text(user, "Hola", "wamid.x"))
    url = f"{CHANNELS}/{made['channel_id']}/webhook"
    for headers in ({}, signed(raw, "another secret"), signed(raw + b" "), {"X-Hub-Signature-256": "sha256=ñ"}):
        assert client.post(url, data=raw, headers=headers).status_code == 401
    update_ = json.dumps({"update_id": 1, "message": {"chat": {"id": 5}, "text": "Hi"}})
    assert client.post(f"{CHANNELS}/{bot['channel_id']}/webhook", data=update_).status_code == 401
    for channel in (made, bot):
        assert rows(engine_store, ChannelMessageRow, channel_id=channel["channel_id"]) == []


def test_a_message_starts_the_flow_and_the_next_ones_belong_to_it_however_often_they_come(
    engine_store: Store, reader: Reader, made: dict[str, Any], arrive: Callable[..., int], user: str
) -> None:
    first, second = text(user, "Hola", f"w1-{user}"), text(user, "¿Hay alguien?", f"w2-{user}")
    assert [arrive(first), arrive(first), arrive(second, first), arrive(second)] == [200] * 4
    contact = contact_of(engine_store, made["channel_id"], user)
    for _ in range(2):
        reading.read(reader, contact.contact_id)
    found = rows(engine_store, ChannelMessageRow, contact_id=contact.contact_id)
    assert [(row.body["text"], row.due_at) for row in found] == [("Hola", None), ("¿Hay alguien?", None)]
    assert len({row.execution_id for row in found}) == 1
    with engine_store.session(None) as session:
        of_it = session.scalars(select(ConversationRow).filter_by(contact_id=contact.contact_id)).all()
        assert [row.execution_id for row in of_it] == [found[0].execution_id]


def test_another_number_of_the_app_is_found_and_an_unknown_one_leaves_nothing(
    engine_store: Store, made: dict[str, Any], arrive: Callable[..., int], user: str
) -> None:
    assert arrive(text(user, "Hola", f"w-{user}"), number="999") == 200
    assert rows(engine_store, ChannelMessageRow, channel_id=made["channel_id"]) == []


def test_a_picture_is_fetched_once_checked_and_kept(
    servers: Servers,
    engine_store: Store,
    reader: Reader,
    made: dict[str, Any],
    arrive: Callable[..., int],
    user: str,
) -> None:
    service = servers.whatsapp
    good, elsewhere, forged = (service.add_media(PNG) for _ in range(3))
    service.lies[elsewhere] = {"url": "https://evil.example/steal"}
    service.lies[forged] = {"sha256": "0" * 64}
    for index, media_id in enumerate((good, elsewhere, forged)):
        image = {"id": media_id, "mime_type": "image/png"}
        message = {"from": user, "id": f"w{index}-{user}", "timestamp": "1764000000", "type": "image", "image": image}
        assert arrive(message) == 200
    contact = contact_of(engine_store, made["channel_id"], user)
    reading.read(reader, contact.contact_id)
    kept, away, other = rows(engine_store, ChannelMessageRow, contact_id=contact.contact_id)
    files = TenantFiles(store=engine_store, tenant_id=kept.tenant_id, settings=reader.settings)
    assert files.read(kept.file) == PNG
    assert (away.file, away.error["code"]) == (None, "rejected")
    assert (other.file, other.error["code"]) == (None, "wrong_hash")


def test_a_message_is_sent_and_reports_raise_what_is_known_of_it(
    servers: Servers,
    engine_store: Store,
    reader: Reader,
    made: dict[str, Any],
    arrive: Callable[..., int],
    user: str,
) -> None:
    arrive(text(user, "Hola", f"w-{user}"))
    contact = contact_of(engine_store, made["channel_id"], user)
    for word in ("uno", "dos", "tres"):
        put(engine_store, contact, {"text": word})
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    assert servers.whatsapp.texts(user) == ["uno", "dos", "tres"]
    sent = servers.whatsapp.to(user)[0]
    for status in ("read", "delivered", "sent", "read"):
        arrive(statuses=[{"id": sent["wamid"], "status": status, "recipient_id": user}])
    reading.read(reader, contact.contact_id)
    found = rows(engine_store, OutboxRow, contact_id=contact.contact_id)
    assert [row.status for row in found] == ["read", "sent", "sent"]


def test_a_message_that_may_pass_later_is_tried_again_in_its_order(
    servers: Servers, engine_store: Store, reader: Reader, made: dict[str, Any], arrive: Callable[..., int], user: str
) -> None:
    arrive(text(user, "Hola", f"w-{user}"))
    contact = contact_of(engine_store, made["channel_id"], user)
    servers.whatsapp.refusals[user].append(Refused(status=400, code=131056))
    put(engine_store, contact, {"text": "first"})
    put(engine_store, contact, {"text": "second"})
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    assert servers.whatsapp.texts(user) == []
    waiting, behind = rows(engine_store, OutboxRow, contact_id=contact.contact_id)
    assert (waiting.status, waiting.attempts, waiting.error["code"]) == ("queued", 1, "rate_limited")
    assert waiting.due_at - datetime.now(UTC) > timedelta(seconds=5)
    assert behind.attempts == 0

    def due(outbox_id: str) -> None:
        with engine_store.session(None) as session:
            session.execute(update(OutboxRow).filter_by(outbox_id=outbox_id).values(due_at=datetime.now(UTC)))

    due(waiting.outbox_id)
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    # Once WhatsApp has said that it is too much for one person, each message keeps its distance to the one before.
    put(engine_store, contact, {"text": "third"})
    for number, said in enumerate((["first"], ["first", "second"], ["first", "second", "third"])):
        sending.send_due(engine_store, contact.contact_id, reader.settings)
        assert servers.whatsapp.texts(user) == said
        for row in rows(engine_store, OutboxRow, contact_id=contact.contact_id)[number + 1 : number + 2]:
            assert row.due_at - datetime.now(UTC) > timedelta(seconds=5)
            due(row.outbox_id)


def test_a_worker_that_died_while_it_sent_is_followed_by_another_unless_the_service_reports(
    servers: Servers, engine_store: Store, reader: Reader, made: dict[str, Any], arrive: Callable[..., int], user: str
) -> None:
    arrive(text(user, "Hola", f"w-{user}"))
    contact = contact_of(engine_store, made["channel_id"], user)
    reported, silent = (put(engine_store, contact, {"text": word}) for word in ("reported", "silent"))
    with engine_store.session(None) as session:
        session.execute(update(OutboxRow).filter_by(contact_id=contact.contact_id).values(status="sending", attempts=1))
    # The number as the service writes it is not the one that was sent to, as with Mexican mobiles.
    other = f"521{user[2:]}"
    status = {"id": "wamid.9", "status": "delivered", "recipient_id": other, "biz_opaque_callback_data": reported}
    arrive(statuses=[status])
    reading.read(reader, contact.contact_id)
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    assert servers.whatsapp.texts(user) == ["silent"]
    found = {row.outbox_id: row.status for row in rows(engine_store, OutboxRow, contact_id=contact.contact_id)}
    assert found == {reported: "delivered", silent: "sent"}


def test_a_refusal_for_good_goes_to_the_linked_channel_once(
    client: FlaskClient,
    servers: Servers,
    engine_store: Store,
    reader: Reader,
    made: dict[str, Any],
    bot: dict[str, Any],
    arrive: Callable[..., int],
    user: str,
) -> None:
    arrive(text(user, "Hola", f"w-{user}"))
    chat = user[::-1].lstrip("0")
    link = {"user_id": user, "fallback_channel_id": bot["channel_id"], "fallback_user_id": chat}
    assert client.post(f"{CHANNELS}/{made['channel_id']}/links", json=link).status_code == 204
    contact = contact_of(engine_store, made["channel_id"], user)
    servers.whatsapp.refusals[user].append(Refused(status=400, code=131026))
    put(engine_store, contact, {"text": "Your room is ready", "buttons": ["Thanks"]})
    (other,) = sending.send_due(engine_store, contact.contact_id, reader.settings)
    assert sending.send_due(engine_store, other, reader.settings) == set()
    assert [body["text"] for body in servers.telegram.to(chat)] == ["Your room is ready"]
    (row,) = rows(engine_store, OutboxRow, contact_id=contact.contact_id)
    assert (row.status, row.error["code"]) == ("failed", "rejected")
    assert row.error["fallback"] == {"channel_id": bot["channel_id"], "user_id": chat}


def test_after_a_day_of_silence_a_template_goes_and_a_text_does_not(
    servers: Servers, engine_store: Store, reader: Reader, made: dict[str, Any], arrive: Callable[..., int], user: str
) -> None:
    arrive(text(user, "Hola", f"w-{user}"))
    contact = contact_of(engine_store, made["channel_id"], user)
    with engine_store.session(None) as session:
        long_ago = datetime.now(UTC) - timedelta(hours=25)
        session.execute(update(ContactRow).filter_by(contact_id=contact.contact_id).values(wrote_at=long_ago))
    put(engine_store, contact, {"text": "Still there?"})
    put(engine_store, contact, {"template": {"name": "still_there", "language": "en"}})
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    refused, sent = rows(engine_store, OutboxRow, contact_id=contact.contact_id)
    assert (refused.error["code"], sent.status) == ("window_closed", "sent")


def test_telegram_is_spoken_to_in_the_same_way(
    client: FlaskClient, servers: Servers, engine_store: Store, reader: Reader, bot: dict[str, Any], user: str
) -> None:
    file_id = servers.telegram.add_file(PNG)
    chat = {"id": int(user), "type": "private"}
    message = {"message_id": 3, "chat": chat, "from": {"first_name": "María"}, "photo": [{"file_id": file_id}]}
    raw = json.dumps({"update_id": 41, "message": message})
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET}
    url = f"{CHANNELS}/{bot['channel_id']}/webhook"
    assert [client.post(url, data=raw, headers=headers).status_code for _ in range(2)] == [200, 200]
    contact = contact_of(engine_store, bot["channel_id"], str(int(user)))
    reading.read(reader, contact.contact_id)
    (row,) = rows(engine_store, ChannelMessageRow, contact_id=contact.contact_id)
    assert (row.file["media_type"], row.execution_id is not None) == ("image/png", True)
    servers.telegram.refusals[str(int(user))].append(
        (429, {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 9}})
    )
    put(engine_store, contact, {"file": row.file, "text": "Yours", "buttons": ["Yes"]})
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    (waiting,) = rows(engine_store, OutboxRow, contact_id=contact.contact_id)
    assert waiting.due_at - datetime.now(UTC) > timedelta(seconds=8)
    with engine_store.session(None) as session:
        session.execute(update(OutboxRow).filter_by(outbox_id=waiting.outbox_id).values(due_at=datetime.now(UTC)))
    sending.send_due(engine_store, contact.contact_id, reader.settings)
    (sent,) = servers.telegram.to(str(int(user)))
    assert (sent["method"], sent["photo"], sent["caption"]) == ("sendPhoto", PNG, "Yours")


def test_a_channel_is_its_tenants_alone(client: FlaskClient, stranger: FlaskClient, made: dict[str, Any]) -> None:
    url = f"{CHANNELS}/{made['channel_id']}"
    assert stranger.get(url).status_code == 404
    assert stranger.put(url, json={"name": "mine"}).status_code == 404
    assert stranger.delete(url).status_code == 404
    listed: Any = stranger.get(CHANNELS).json
    assert listed["data"] == []
