"""`aispine channel` and `aispine subject`: what is sent, and what people read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.unit.cli.standin import Reply, Request, problem, reply, serving

CHANNEL = {
    "channel_id": "01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77",
    "kind": "whatsapp",
    "name": "whatsapp 106",
    "flow_id": "kyc",
    "staff": [],
    "webhook_url": "https://spine.example.com/api/v1/channels/01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77/webhook",
    "made": {"verify_token": "made-up"},
}
KEPT = {"contacts": [], "messages": 3, "executions": ["e"], "files": ["f", "g"]}
ERASED = {"erasure_id": "r1", "erased_at": "2026-01-01T00:00:00Z", "erased_by": "first", "counts": {"files": 2}}


def answer(request: Request) -> Reply:
    if request.path.startswith("/api/v1/channels"):
        kind = json.loads(request.body or b"{}").get("kind")
        if kind in {"email", "voice"}:
            return problem(400, code="invalid_request", detail=f"channels of kind `{kind}` do not exist", field="kind")
        if request.path.endswith("/test"):
            return reply({"channel_id": "c", "answer": {"verified_name": "Hotel"}})
        return reply({"data": [CHANNEL], "next_cursor": None} if request.method == "GET" else CHANNEL)
    if request.path.startswith("/api/v1/erasures"):
        return reply({"data": [ERASED], "next_cursor": None})
    return reply(ERASED if request.method == "DELETE" else KEPT)


def run(*arguments: str, stdin: str | None = None) -> tuple[Any, list[Request]]:
    with serving(answer) as server:
        done = CliRunner().invoke(main, ["--url", server.url, "--api-key", "k", *arguments], input=stdin)
    return done, server.requests


def test_adding_a_channel_prints_the_url_to_paste_and_asks_for_secrets_without_showing_them() -> None:
    options = ["--phone-number-id", "106", "--access-token", "-", "--app-secret", "-", "--flow", "kyc"]
    done, (asked,) = run("channel", "add", "whatsapp", *options, "--staff", "34600", stdin="the token\nthe secret\n")
    assert done.exit_code == 0, done.output
    assert f"Webhook URL:  {CHANNEL['webhook_url']}" in done.stdout
    assert "Verify token: made-up" in done.stdout
    assert "the token" not in done.output
    assert "the secret" not in done.output
    secrets = {"phone_number_id": "106", "access_token": "the token", "app_secret": "the secret"}
    assert json.loads(asked.body) == {"flow_id": "kyc", "kind": "whatsapp", "credentials": secrets, "staff": ["34600"]}


@pytest.mark.parametrize("kind", ["email", "voice"])
def test_kinds_that_do_not_exist_yet_are_refused_clearly(kind: str) -> None:
    done, _ = run("channel", "add", kind)
    assert done.exit_code == 2
    assert f"`{kind}` do not exist" in done.stderr


def test_channels_are_listed_tested_and_removed() -> None:
    assert "whatsapp 106" in run("channel", "list")[0].stdout
    assert "verified_name Hotel" in run("channel", "test", "c")[0].stdout
    done, (asked,) = run("channel", "remove", "c")
    assert (asked.method, asked.path, done.stdout) == ("DELETE", "/api/v1/channels/c", "c removed\n")


def test_a_person_is_erased_after_a_yes_alone() -> None:
    done, asked = run("subject", "erase", "whatsapp:34600111222", stdin="n\n")
    assert (done.exit_code, [each.method for each in asked]) == (1, ["GET"])
    assert "3 messages, 1 executions, 2 files" in done.stderr
    done, asked = run("subject", "erase", "whatsapp:34600111222", stdin="y\n")
    assert [(each.method, each.path) for each in asked] == [
        ("GET", "/api/v1/subjects/whatsapp%3A34600111222"),
        ("DELETE", "/api/v1/subjects/whatsapp%3A34600111222"),
    ]
    assert "erased: 2 files" in done.stdout
    assert [each.method for each in run("subject", "erase", "34600111222", "--yes")[1]] == ["DELETE"]
    assert "r1" in run("subject", "erasures", "--of", "34600111222")[0].stdout
