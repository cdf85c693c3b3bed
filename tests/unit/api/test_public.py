"""What anybody may ask, with no server behind the web process."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from aispine.settings import Settings
from api.app import create_app


@pytest.fixture
def client() -> FlaskClient:
    return create_app(Settings()).test_client()


def test_health_needs_no_key_and_no_server(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json.keys() == {"status", "version", "uptime_seconds", "time"}
    assert answer.json["status"] == "ok"
    assert answer.json["time"].endswith("Z")


def test_the_document_is_openapi_3_1_and_closed_under_its_references(client: FlaskClient) -> None:
    document: Any = client.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    names = set(re.findall(r'"#/components/schemas/(\w+)"', client.get("/openapi.json").text))
    assert names <= document["components"]["schemas"].keys()
    execute = document["paths"]["/api/v1/flows/execute"]["post"]
    assert execute["security"] == [{"key": []}]
    assert {"202", "default"} <= execute["responses"].keys()
    assert document["paths"]["/health"]["get"]["security"] == []


def test_every_operation_says_what_it_does(client: FlaskClient) -> None:
    document: Any = client.get("/openapi.json").json
    silent = [
        (path, method)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters" and not operation.get("summary")
    ]
    assert silent == []


def test_the_page_asks_nothing_of_other_hosts(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert asset.startswith("/docs/assets/")
        assert client.get(asset).status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert client.get("/docs/assets/..%2f__init__.py").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("GET", "/health?deep=maybe", 400, "invalid_request"),
        ("GET", "/health?depe=1", 400, "invalid_request"),
        ("GET", "/health?deep=1&deep=0", 400, "invalid_request"),
        ("GET", "/health?deep=%00", 400, "invalid_request"),
        ("GET", "/%00", 400, "invalid_request"),
        ("GET", "/api/v1/flows", 401, "unauthenticated"),
    ],
)
def test_what_is_refused_is_a_problem(client: FlaskClient, method: str, path: str, status: int, code: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == code
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_a_method_that_is_refused_names_those_that_are_not(client: FlaskClient) -> None:
    assert "GET" in client.post("/health").headers["Allow"]


def test_a_request_id_comes_back_and_a_bad_one_is_replaced(client: FlaskClient) -> None:
    assert client.get("/health", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert client.get("/health", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"] != "a b"


def test_without_a_database_the_answer_says_which_setting_is_missing(client: FlaskClient) -> None:
    answer = client.get("/api/v1/flows", headers={"Authorization": "Bearer sk_x"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json is not None
    assert "AISPINE_WEB_DATABASE_URL" in answer.json["detail"]


def test_a_bug_is_a_500_that_tells_the_request_id_and_nothing_else() -> None:
    app = create_app(Settings())

    def broken() -> None:
        raise ZeroDivisionError("a secret")

    broken.__access__ = "public"
    app.view_functions["docs.index"] = broken
    answer = app.test_client().get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
