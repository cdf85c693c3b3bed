from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aispine.errors import InvalidTool
from aispine.tool import authorization, keys, probe

GOOD: dict[str, Any] = {"tool_id": "mail", "endpoint": "https://mail.example.com/send"}
DOCS = Path(__file__).parents[3] / "docs" / "tools.md"


def test_a_whole_registration_is_good() -> None:
    keys.check(
        GOOD
        | {
            "endpoint": "https://shop.example.com/orders/{order_id}",
            "method": "GET",
            "headers": {"Accept-Language": "es"},
            "input_schema": {"type": "object", "properties": {"order_id": {"type": "string"}}},
            "auth_config": {
                "type": "oauth2",
                "token_url": "https://id.example.com/token",
                "client_id": "a",
                "client_secret": "b",
                "scope": "orders:read",
            },
            "timeout": 5,
        }
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tool_id", "9lives"),
        ("tool_id", None),
        ("endpoint", "ftp://x"),
        ("endpoint", "https://{host}/x"),
        ("endpoint", "https://user:secret@x.example.com/"),
        ("endpoint", "https://x.example.com/{"),
        ("method", "TRACE"),
        ("headers", {"Authorization": "Bearer x"}),
        ("headers", {"X": "a\nb"}),
        ("input_schema", {"type": "objekt"}),
        ("output_schema", {"$ref": "https://example.com/schema.json"}),
        ("auth_config", {"type": "magic"}),
        ("auth_config", {"type": "bearer"}),
        ("auth_config", {"type": "bearer", "token": "a b"}),
        ("auth_config", {"type": "basic", "username": "a:b", "password": "x"}),
        ("auth_config", {"type": "header", "header": "X Y", "value": "x"}),
        ("auth_config", {"type": "oauth2", "token_url": "nowhere", "client_id": "a", "client_secret": "b"}),
        ("auth_config", {"type": "none", "token": "x"}),
        ("timeout", 0),
        ("contract", "soap"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidTool) as caught:
        keys.check(GOOD | {field: value})
    assert [each["field"] for each in caught.value.errors] == [field]


def test_every_problem_is_told_at_once_with_a_guess() -> None:
    with pytest.raises(InvalidTool, match="and 2 more") as caught:
        keys.check({"tool_id": "mail", "endpont": "https://x.example.com", "timeout": "soon"})
    assert [each["field"] for each in caught.value.errors] == ["endpont", "endpoint", "timeout"]
    assert caught.value.hint == "Did you mean `endpoint`?"


def test_a_name_in_the_endpoint_must_be_one_of_the_schema() -> None:
    schema = {"type": "object", "properties": {"id": {}}}
    with pytest.raises(InvalidTool, match="order_id"):
        keys.check(GOOD | {"endpoint": "https://x.example.com/{order_id}", "input_schema": schema})


def test_what_is_secret_is_kept_apart() -> None:
    shown, secrets = authorization.split({"type": "basic", "username": "ada", "password": "pw"})
    assert (shown, secrets) == ({"type": "basic", "username": "ada"}, {"password": "pw"})
    assert authorization.headers(shown, secrets) == {"Authorization": "Basic YWRhOnB3"}


def test_the_older_schema_becomes_a_json_schema() -> None:
    told = {
        "input": {
            "city": {"type": "string", "required": True, "description": "Where"},
            "unit": {"type": "enum", "enum": ["C", "F"]},
            "days": {"type": "array", "items": {"type": "number"}},
            "when": {"type": "date"},
        }
    }
    assert probe.input_schema(told) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where"},
            "unit": {"enum": ["C", "F"]},
            "days": {"type": "array", "items": {"type": "number"}},
            "when": {},
        },
        "required": ["city"],
    }
    assert probe.input_schema({"input_schema": {"type": "object"}}) == {"type": "object"}
    assert probe.input_schema({"input_schema": {"type": "objekt"}}) is None


def test_the_docs_name_every_key_and_form() -> None:
    text = DOCS.read_text("utf-8")
    members = {member for form in authorization.FORMS.values() for member in form.members}
    assert [name for name in (*keys.KEYS, *authorization.FORMS, *members) if f"`{name}`" not in text] == []
