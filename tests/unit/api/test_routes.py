from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from aispine.errors import AISpineError
from aispine.events.types import EventType
from aispine.settings import Settings
from api import access
from api.app import create_app
from api.routes import routes, table

NOT_ANSWERED = {"stack_error", "rate_limited"}
"""The first belongs to the local stack; nothing limits rates yet."""
DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def family(kind: type[AISpineError]) -> Iterator[type[AISpineError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings())


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    assert {route.access for route in routes(app)} <= {"key", "metrics", "signature", "token", "public"}


def test_every_route_under_api_takes_a_key_a_token_of_its_own_or_a_signature(app: Flask) -> None:
    others = {(route.path, route.access) for route in routes(app) if route.path.startswith("/api/")}
    assert {(path, kind) for path, kind in others if kind != "key"} == {
        ("/api/v1/callbacks/<token>", "token"),
        ("/api/v1/channels/<channel_id>/webhook", "signature"),
    }


def test_an_application_with_a_silent_route_does_not_start() -> None:
    app = Flask("silent", static_folder=None)
    app.add_url_rule("/open", "open", lambda: "anybody")
    with pytest.raises(RuntimeError, match="open"):
        access.install(app)


def test_the_docs_hold_the_table_of_routes(app: Flask) -> None:
    assert table(app) in DOCS.read_text("utf-8"), "run `python -m api.routes` and put its output into docs/api.md"


def test_the_docs_name_every_code_that_an_answer_can_have() -> None:
    codes = {kind.code for kind in family(AISpineError)} - NOT_ANSWERED
    assert {code for code in codes if f"`{code}`" not in DOCS.read_text("utf-8")} == set()


def test_the_docs_name_every_type_of_event() -> None:
    assert {type_ for type_ in EventType if f"`{type_}`" not in DOCS.read_text("utf-8")} == set()


def test_the_docs_name_every_path_of_the_older_product(app: Flask) -> None:
    paths = {(route.openapi_path, method) for route in routes(app) for method in route.methods}
    assert {
        ("/health", "GET"),
        ("/api/v1/agents", "POST"),
        ("/api/v1/agents/{agent_id}", "PUT"),
        ("/api/v1/flows", "GET"),
        ("/api/v1/flows/{flow_id}", "DELETE"),
        ("/api/v1/flows/execute", "POST"),
        ("/api/v1/executions/{execution_id}/results", "GET"),
        ("/api/v1/executions/{execution_id}/cancel", "POST"),
        ("/api/v1/executions/{execution_id}/stream", "GET"),
    } <= paths
