"""What the tests of the identity check share: people, the way to the question for pictures, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from flask.testing import FlaskClient

from cli.specimens import Distortion, Person, invent
from tests.support.polling import eventually
from tests.support.talk import Phone

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

    return eventually(ended, 180)


def only_execution(client: FlaskClient) -> str:
    found: Any = client.get("/api/v1/executions").json
    (row,) = found["data"]
    return str(row["execution_id"])


def node(client: FlaskClient, execution_id: str, path: str) -> Mapping[str, Any] | None:
    """What came of a node; None for one that never began."""
    found: Any = client.get(f"/api/v1/executions/{execution_id}/results").json
    return next((dict(each) for each in found["data"] if each["path"] == path), None)


def agrees(phone: Phone) -> None:
    """From the first word to the question for pictures."""
    phone.writes("Buenas")
    phone.hears("¿Está de acuerdo?")
    phone.presses("Sí")
    phone.hears("envíe una foto")
