"""Erasing a person: nothing is left anywhere, others keep what is theirs, and a record says that it was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from aispine import settings
from aispine.agent.contract import AgentReply
from aispine.channel import sending
from aispine.conversation import reading
from aispine.conversation.reading import Reader
from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.files import TenantFiles
from aispine.store import api_keys, cached_answers, node_logs, outbox, retention
from aispine.store.cached_answers import CachedAnswer
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import ChannelMessageRow, ContactRow, ExecutionRow
from tests.integration.engine.crew import TERMS, begin, fact, finish, take
from tests.support import telegram
from tests.support.environment import Servers
from tests.support.operations import Silence
from tests.support.rows import everything
from tests.support.talk import add_telegram, add_whatsapp, number
from tests.support.whatsapp import signed, webhook

SUBJECTS = "/api/v1/subjects"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
PASSPORT = "C01X00T47"
FLOW = """
flow_id: guests
version: 1.0.0
name: Guests
nodes:
  - {id: come, type: input}
  - {id: read, type: processor, agent_id: echo@^1, depends_on: [come]}
  - {id: wait, type: wait, signal: more, depends_on: [read]}
"""


@pytest.fixture
def reader(engine_store: Store) -> Reader:
    dispatch = Dispatch(store=engine_store, celery=broker.app(), wakeups=Silence())
    return Reader(store=engine_store, celery=broker.app(), settings=settings.current(), dispatch=dispatch)


@pytest.fixture
def flow(client: FlaskClient) -> str:
    assert client.post("/api/v1/flows", data=FLOW, content_type="application/yaml").status_code == 201
    return "guests"


class Desk:
    """A hotel's channel: what guests send is read at once."""

    def __init__(self, client: FlaskClient, servers: Servers, reader: Reader, flow: str, clerk: str) -> None:
        self._client, self._service, self._reader = client, servers.whatsapp, reader
        self.store, self.channel_id = reader.store, add_whatsapp(client, flow, clerk)

    def arrives(self, user: str, message: dict[str, Any], *, age: float = 0.0, read: bool = True) -> None:
        sent_at = str(int((datetime.now(UTC) - timedelta(seconds=age)).timestamp()))
        raw = webhook({"from": user, "id": f"w-{new_id()}", "timestamp": sent_at, **message})
        self.posts(raw)
        contact_id = self.contact_id(user)
        if read and contact_id is not None:
            reading.read(self._reader, contact_id)

    def posts(self, raw: bytes) -> None:
        path = f"/api/v1/channels/{self.channel_id}/webhook"
        assert self._client.post(path, data=raw, headers=signed(raw)).status_code == 200

    def picture(self, content: bytes) -> dict[str, Any]:
        image = {"id": self._service.add_media(content), "mime_type": "image/png"}
        return {"type": "image", "image": image}

    def contact_id(self, user: str) -> str | None:
        with self.store.session(None) as session:
            same = select(ContactRow.contact_id).filter_by(channel_id=self.channel_id, user_id=user)
            return session.scalar(same)

    def execution_of(self, user: str) -> str:
        with self.store.session(None) as session:
            same = select(ChannelMessageRow.execution_id).filter_by(contact_id=self.contact_id(user))
            return str(session.scalars(same.limit(1)).one())

    def reads(self, user: str, report: dict[str, Any]) -> str:
        """The guest's document is read, told to the staff, logged, and the node run again in a copy."""
        execution_id = self.execution_of(user)
        begin(self.store, execution_id)
        held = take(self.store, execution_id, "read")
        node_logs.keep(self.store, held.execution, held.node, f"read {PASSPORT} of {user}")
        finish(
            self.store,
            held,
            fact(held, AgentReply(output={"number": PASSPORT, "report": report}, message=f"It is {PASSPORT}")),
            TERMS,
        )
        assert self._client.post(f"/api/v1/executions/{execution_id}/cancel").status_code == 202
        again = self._client.post(f"/api/v1/executions/{execution_id}/rerun", json={"from_node": "wait"})
        assert again.status_code == 202, again.text
        return execution_id

    def tells_staff(self, clerk: str, about: str) -> None:
        with self.store.session(None) as session:
            row = session.get_one(ContactRow, self.contact_id(clerk))
            message = {"text": f"{PASSPORT} of {about}?"}
            outbox.put(session, row, message, key=new_id(), execution_id=self.execution_of(about), path="read")


def keeps(store: Store, tenant: str, execution_id: str, of: str) -> None:
    """An agent's answer to that execution is kept for the next who asks the same."""
    answer = CachedAnswer(
        tenant_id=tenant, key=new_id(), execution_id=execution_id, output=f"kept for {of}", message=None, metadata={}
    )
    cached_answers.put(store, answer, 3600)


@pytest.fixture
def clerk() -> str:
    return number()


@pytest.fixture
def desk(client: FlaskClient, servers: Servers, reader: Reader, flow: str, clerk: str) -> Desk:
    found = Desk(client, servers, reader, flow, clerk)
    found.arrives(clerk, {"type": "text", "text": {"body": "I am here"}})
    return found


def test_nothing_is_left_of_a_person_and_others_keep_what_is_theirs(
    client: FlaskClient, engine_store: Store, tenant: str, desk: Desk, clerk: str
) -> None:
    guest, other = number(), number()
    files = TenantFiles(store=engine_store, tenant_id=tenant, settings=settings.current())
    menu = files.put(b"everybody's menu", name="menu.txt").reference.as_dict()
    for user in (guest, other):
        desk.arrives(user, desk.picture(PNG + user.encode()))
        desk.arrives(user, {"type": "text", "text": {"body": f"I am {user}, my number is {PASSPORT}"}})
    made = files.put(f"report about {guest}".encode(), name="report.txt").reference.as_dict()
    execution_id = desk.reads(guest, made)
    desk.tells_staff(clerk, guest)
    for user in (guest, other):
        keeps(engine_store, tenant, desk.execution_of(user), user)
    about = {
        "flow_id": "guests",
        "input_data": {"who": guest, "menu": menu},
        "labels": {"subject": guest},
    }
    headers = {"Idempotency-Key": new_id()}
    assert client.post("/api/v1/flows/execute", json=about, headers=headers).status_code == 202
    shown: Any = client.get(f"{SUBJECTS}/whatsapp:{guest}").json
    assert (shown["messages"], len(shown["executions"]), len(shown["files"])) == (2, 3, 2)
    before = everything(engine_store, tenant)
    assert before.count(guest) >= 6
    erased: Any = client.delete(f"{SUBJECTS}/+{guest[:2]} {guest[2:]}").json
    left = everything(engine_store, tenant)
    assert guest not in left
    assert guest.encode().hex() not in left
    assert {
        name: erased["counts"][name] for name in ("cached_answers", "contacts", "executions", "files", "messages_in")
    } == {
        "cached_answers": 1,
        "contacts": 1,
        "executions": 3,
        "files": 2,
        "messages_in": 2,
    }
    assert client.get(f"/api/v1/executions/{execution_id}").status_code == 404
    assert client.get(f"/api/v1/files/{menu['file_id']}").status_code == 200
    assert client.get(f"/api/v1/files/{made['file_id']}").status_code == 404
    kept: Any = client.get(f"{SUBJECTS}/{other}").json
    assert (len(kept["executions"]), len(kept["files"]), kept["contacts"][0]["user_id"]) == (1, 1, other)
    assert f"kept for {other}" in left
    again: Any = client.delete(f"{SUBJECTS}/{guest}")
    assert (again.status_code, "was erased at" in again.json["hint"]) == (404, True)
    for query in ({}, {"subject": guest}):
        (record,) = client.get("/api/v1/erasures", query_string=query).json["data"]  # type: ignore[index]  # it is JSON
        assert (record["erasure_id"], record["erased_by"], record["counts"]) == (
            erased["erasure_id"],
            "test",
            erased["counts"],
        )
    assert client.get("/api/v1/erasures", query_string={"subject": other}).json["data"] == []  # type: ignore[index]  # it is JSON


def test_what_still_runs_or_comes_late_leaves_nothing_of_an_erased_person(
    client: FlaskClient, engine_store: Store, tenant: str, desk: Desk
) -> None:
    guest = number()
    desk.arrives(guest, {"type": "text", "text": {"body": "Hola"}})
    execution_id = desk.execution_of(guest)
    begin(engine_store, execution_id)
    held = take(engine_store, execution_id, "read")
    desk.arrives(guest, {"type": "text", "text": {"body": "not read yet"}}, read=False)
    assert client.delete(f"{SUBJECTS}/{guest}").status_code == 200
    node_logs.keep(engine_store, held.execution, held.node, f"read {PASSPORT}")
    keeps(engine_store, tenant, execution_id, PASSPORT)
    assert finish(engine_store, held, fact(held, AgentReply(output={"number": PASSPORT})), TERMS) is None
    desk.arrives(guest, {"type": "text", "text": {"body": "sent before, and told late"}}, age=60)
    desk.posts(webhook(statuses=[{"id": "wamid.1", "status": "read", "recipient_id": guest}]))
    left = everything(engine_store, tenant)
    assert guest not in left
    assert PASSPORT not in left
    desk.arrives(guest, {"type": "text", "text": {"body": "I am back"}}, age=-2)
    assert desk.execution_of(guest) != execution_id


def test_a_person_whom_a_worker_serves_is_waited_for(
    client: FlaskClient, engine_store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aispine.store import channels
    from aispine.subject import erasing

    monkeypatch.setattr(erasing, "PATIENCE", 0.3)
    guest = number()
    desk.arrives(guest, {"type": "text", "text": {"body": "Hola"}})
    contact_id = str(desk.contact_id(guest))
    with engine_store.session(None) as session:
        assert channels.hold(session, contact_id, channels.SENDING, "a worker", 60)
    refused: Any = client.delete(f"{SUBJECTS}/{guest}")
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    with engine_store.session(None) as session:
        channels.let_go(session, contact_id, channels.SENDING, "a worker")
        # What was taken to erase is given back: the guest is served as before.
        assert channels.hold(session, contact_id, channels.READING, "another", 1)
        channels.let_go(session, contact_id, channels.READING, "another")
    assert client.delete(f"{SUBJECTS}/{guest}").status_code == 200


def test_the_person_on_a_linked_channel_goes_too_and_a_number_of_two_people_is_refused(
    client: FlaskClient, engine_store: Store, tenant: str, desk: Desk, clerk: str
) -> None:
    guest, chat = number(), number()[-9:].lstrip("0") or "77"
    bot = add_telegram(client, "guests")
    desk.arrives(guest, {"type": "text", "text": {"body": "Hola"}})
    link = {"user_id": guest, "fallback_channel_id": bot, "fallback_user_id": chat}
    assert client.post(f"/api/v1/channels/{desk.channel_id}/links", json=link).status_code == 204
    update = {"update_id": 9, "message": {"chat": {"id": int(guest), "type": "private"}, "text": "Hi"}}
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET}
    assert client.post(f"/api/v1/channels/{bot}/webhook", data=json.dumps(update), headers=headers).status_code == 200
    refused: Any = client.delete(f"{SUBJECTS}/{guest}")
    assert (refused.status_code, "two people" in refused.json["hint"]) == (409, True)
    assert client.delete(f"{SUBJECTS}/telegram:{guest}").status_code == 200
    shown: Any = client.get(f"{SUBJECTS}/{guest}").json
    assert [contact["user_id"] for contact in shown["contacts"]] == [guest, chat]
    assert client.delete(f"{SUBJECTS}/whatsapp:{guest}").status_code == 200
    left = everything(engine_store, tenant)
    assert guest not in left
    assert chat not in left
    assert client.get(f"{SUBJECTS}/{clerk}").status_code == 200


def test_a_person_is_its_tenants_alone(client: FlaskClient, stranger: FlaskClient, desk: Desk) -> None:
    guest = number()
    desk.arrives(guest, {"type": "text", "text": {"body": "Hola"}})
    assert stranger.get(f"{SUBJECTS}/{guest}").status_code == 404
    assert stranger.delete(f"{SUBJECTS}/{guest}").status_code == 404
    assert client.get(f"{SUBJECTS}/{guest}").status_code == 200


def test_a_picture_takes_a_key_that_may_see_it_and_goes_when_its_time_is_over(
    client: FlaskClient, client_of: Callable[[str], FlaskClient], engine_store: Store, tenant: str, desk: Desk
) -> None:
    guest = number()
    desk.arrives(guest, desk.picture(PNG + b"a face"))
    (file_id,) = client.get(f"{SUBJECTS}/{guest}").json["files"]  # type: ignore[index]  # it is JSON
    place = f"/api/v1/files/{file_id}"
    refused: Any = client.get(f"{place}/content")
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    shown: Any = client.get(place).json
    assert (shown["sensitive"], shown["sha256"]) == (True, "[sensitive]")
    expires = datetime.fromisoformat(shown["expires_at"]) - datetime.fromisoformat(shown["created_at"])
    assert abs(expires - timedelta(days=30)) < timedelta(minutes=1)
    with engine_store.session(None) as session:
        key = api_keys.create(session, tenant, name="auditor", permissions=[api_keys.SENSITIVE])
    assert client_of(key).get(f"{place}/content").data == PNG + b"a face"


def test_what_was_said_goes_with_the_execution_when_that_is_forgotten(
    client: FlaskClient, engine_store: Store, desk: Desk
) -> None:
    guest = number()
    desk.arrives(guest, {"type": "text", "text": {"body": f"{PASSPORT} is mine"}})
    execution_id = desk.execution_of(guest)
    assert client.post(f"/api/v1/executions/{execution_id}/cancel").status_code == 202
    with engine_store.session(None) as session:
        row = session.get_one(ExecutionRow, execution_id)
        later = datetime.now(UTC) + timedelta(seconds=1)
        tree = retention.Tree(place=(later, execution_id), execution_ids=(execution_id,), size=row.event_seq)
        assert retention.forget(session, [tree], later) == 1
        message = session.scalars(select(ChannelMessageRow).filter_by(contact_id=desk.contact_id(guest))).one()
        assert (message.body, message.execution_id) == ({"kind": "text"}, None)


def test_sending_to_somebody_who_was_erased_meanwhile_is_no_error(
    client: FlaskClient, engine_store: Store, reader: Reader, desk: Desk
) -> None:
    guest = number()
    desk.arrives(guest, {"type": "text", "text": {"body": "Hola"}})
    contact_id = str(desk.contact_id(guest))
    assert client.delete(f"{SUBJECTS}/{guest}").status_code == 200
    assert sending.send_due(engine_store, contact_id, reader.settings) == set()
    reading.read(reader, contact_id)
