"""Files over REST."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from aispine import settings
from aispine.files import Sweep
from aispine.store.database import Store
from aispine.store.models import FileChunkRow, FileRow

FILES = "/api/v1/files"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3000
"""Longer than a chunk, so that several are put together again."""


@pytest.fixture
def passport(client: FlaskClient) -> dict[str, Any]:
    """A file that was sent as it is."""
    answer = client.post(FILES, data=PNG, content_type="image/png", query_string={"name": "passport.png"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{FILES}/{answer.json['file_id']}"
    return dict(answer.json)


def test_a_file_that_was_sent_comes_back_as_it_was(client: FlaskClient, passport: dict[str, Any]) -> None:
    assert passport["media_type"] == "image/png"
    assert passport["size"] == len(PNG)
    assert passport["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert client.get(f"{FILES}/{passport['file_id']}").json == passport
    answer = client.get(f"{FILES}/{passport['file_id']}/content")
    assert answer.data == PNG
    assert answer.content_type == "image/png"
    assert answer.content_length == len(PNG)
    assert answer.headers["Content-Disposition"] == "attachment; filename=passport.png"


def test_a_form_carries_one_file_under_its_own_name(client: FlaskClient) -> None:
    form = {"file": (io.BytesIO(PNG[:2000]), "../../año\x07.png", "image/png")}
    answer = client.post(FILES, data=form, content_type="multipart/form-data")
    assert answer.status_code == 201, answer.text
    assert answer.json["name"] == "año.png"
    for wrong in ({"other": (io.BytesIO(PNG[:2000]), "a.png")}, {"file": "text"}):
        answer = client.post(FILES, data=wrong, content_type="multipart/form-data")
        assert (answer.status_code, answer.json["field"]) == (400, "file")


def test_a_file_that_is_not_what_it_says_is_refused(client: FlaskClient) -> None:
    answer = client.post(FILES, data=b"MZ\x90\x00" + bytes(60), content_type="application/pdf")
    assert (answer.status_code, answer.json["code"]) == (422, "unprocessable")
    assert "application/x-msdownload" in answer.json["detail"]


@pytest.mark.parametrize(
    ("data", "query", "status", "field"),
    [
        (b"", {}, 400, "file"),
        (b"hello", {"expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at"),
        (b"hello", {"expires_at": "tomorrow"}, 400, "expires_at"),
        (b"hello", {"expires_at": "2999-01-01T00:00:00"}, 400, "expires_at"),
        (b"hello", {"colour": "red"}, 400, "colour"),
        (b"hello" * 300, {}, 413, "file"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, data: bytes, query: Any, status: int, field: str
) -> None:
    small = settings.Settings(max_file_bytes=1000, web_database_url=app.extensions["aispine"].settings.web_database_url)
    monkeypatch.setattr(app.extensions["aispine"], "settings", small)
    answer = client.post(FILES, data=data, content_type="text/plain", query_string=query)
    assert (answer.status_code, answer.json["field"]) == (status, field), answer.text


def test_another_tenants_file_is_not_there(
    client: FlaskClient, stranger: FlaskClient, passport: dict[str, Any]
) -> None:
    place = f"{FILES}/{passport['file_id']}"
    assert stranger.get(place).status_code == 404
    assert stranger.get(f"{place}/content").status_code == 404
    assert stranger.delete(place).status_code == 404
    assert stranger.get(FILES).json == {"data": [], "next_cursor": None}
    assert client.get(place).status_code == 200


def test_files_are_listed_page_by_page(client: FlaskClient) -> None:
    for number in range(3):
        client.post(FILES, data=b"text", query_string={"name": f"{number}.txt"})
    first = client.get(FILES, query_string={"limit": 2}).json
    assert first is not None
    second = client.get(FILES, query_string={"limit": 2, "cursor": first["next_cursor"]}).json
    assert second is not None
    assert [each["name"] for each in first["data"] + second["data"]] == ["0.txt", "1.txt", "2.txt"]
    assert second["next_cursor"] is None
    assert client.get(FILES, query_string={"cursor": "bm8"}).status_code == 400


def test_a_deleted_file_leaves_nothing(client: FlaskClient, engine_store: Store, passport: dict[str, Any]) -> None:
    place = f"{FILES}/{passport['file_id']}"
    assert client.delete(place).status_code == 204
    assert client.delete(place).status_code == 404
    assert client.get(f"{place}/content").status_code == 404
    assert _left(engine_store, passport["file_id"]) == (0, 0)


def test_a_file_goes_when_it_expires(client: FlaskClient, engine_store: Store, passport: dict[str, Any]) -> None:
    kept = client.post(FILES, data=b"kept", query_string={"expires_at": "2999-01-01T00:00:00+02:00"}).json
    assert kept is not None
    assert kept["expires_at"] == "2998-12-31T22:00:00.000000Z"
    with engine_store.session(None) as session:
        row = session.get_one(FileRow, passport["file_id"])
        row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert client.get(f"{FILES}/{passport['file_id']}").status_code == 404
    Sweep(engine_store, settings.current()).round()
    assert _left(engine_store, passport["file_id"]) == (0, 0)
    assert client.get(f"{FILES}/{kept['file_id']}/content").data == b"kept"


def _left(store: Store, file_id: str) -> tuple[int, int]:
    with store.session(None) as session:
        rows = session.scalars(select(FileRow.file_id).where(FileRow.file_id == file_id)).all()
        chunks = session.scalars(select(FileChunkRow.number).where(FileChunkRow.file_id == file_id)).all()
    return len(rows), len(chunks)
