from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from aispine import errors, settings
from cli.client import Client, pages
from cli.main import main
from tests.unit.cli.standin import Reply, Request, problem, reply, serving


def test_a_call_carries_the_key_and_gives_the_parsed_body() -> None:
    with serving(lambda _: reply({"data": [1]})) as server:
        assert Client(server.url + "/", "aisk_1").get("/api/v1/flows", params={"limit": 5, "cursor": None}) == {
            "data": [1]
        }
    assert server.requests[0].path == "/api/v1/flows?limit=5"
    assert server.requests[0].headers["Authorization"] == "Bearer aisk_1"


def test_an_answer_without_a_body_is_none() -> None:
    with serving(lambda _: Reply(status=204)) as server:
        assert Client(server.url).delete("/api/v1/flows/hello") is None


@pytest.mark.parametrize("kind", [errors.VersionConflict, errors.InvalidInput, errors.NotFound, errors.RateLimited])
def test_a_problem_is_raised_as_the_error_with_its_code(kind: type[errors.AISpineError]) -> None:
    members = {"code": kind.code, "detail": "no", "hint": "try", "field": "version", "errors": [{"message": "m"}]}
    with serving(lambda _: problem(kind.status, **members)) as server, pytest.raises(kind) as raised:
        Client(server.url).post("/api/v1/flows", json={})
    assert type(raised.value) is kind
    assert (raised.value.message, raised.value.hint, raised.value.field) == ("no", "try", "version")
    assert raised.value.errors == ({"message": "m"},)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.Unauthenticated), (422, errors.Unprocessable), (503, errors.Unavailable), (500, errors.AISpineError)],
)
def test_a_status_without_a_known_code_still_has_its_error(status: int, kind: type[errors.AISpineError]) -> None:
    with serving(lambda _: Reply(status=status, body=b"<html>")) as server, pytest.raises(kind) as raised:
        Client(server.url).get("/api/v1/flows")
    assert type(raised.value) is kind
    assert str(status) in raised.value.message


def test_a_server_that_is_not_ours_is_said_so() -> None:
    with serving(lambda _: Reply(body=b"<html>hello</html>")) as server, pytest.raises(errors.Unavailable, match="li"):
        Client(server.url).get("/api/v1/flows")


def test_a_redirect_is_not_followed_with_the_key() -> None:
    def answer(_: Request) -> Reply:
        return Reply(status=302, headers={"Location": "/elsewhere"})

    with serving(answer) as server, pytest.raises(errors.Unavailable):
        Client(server.url, "secret").get("/api/v1/flows")
    assert len(server.requests) == 1


def test_nobody_listening_has_the_command_that_starts_a_stack_as_hint() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(errors.Unavailable) as raised:
        Client(f"http://127.0.0.1:{port}").get("/health")
    assert "aispine up" in (raised.value.hint or "")


@pytest.mark.parametrize("url", ["localhost:8700", "ftp://host", "http://", "http://host:notaport", "", "http://[::1"])
def test_a_url_that_is_none_is_refused_naming_the_flag(url: str) -> None:
    with pytest.raises(errors.InvalidRequest) as raised:
        Client(url)
    assert raised.value.field == "url"


@pytest.mark.parametrize("key", ["clé", "two words", "line\nbreak"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        Client("http://localhost", key)


def test_pages_follow_the_cursor_up_to_the_limit() -> None:
    def answer(request: Request) -> Reply:
        second = "cursor=next" in request.path
        return reply({"data": [{"n": 3}, {"n": 4}] if second else [{"n": 1}, {"n": 2}], "next_cursor": "next"})

    with serving(answer) as server:
        found = list(pages(Client(server.url), "/api/v1/flows", params={"status": "failed"}, limit=4))
    assert [row["n"] for row in found] == [1, 2, 3, 4]
    assert [request.path for request in server.requests] == [
        "/api/v1/flows?status=failed&limit=4",
        "/api/v1/flows?status=failed&limit=2&cursor=next",
    ]


def test_the_local_stacks_key_is_not_sent_to_a_url_that_somebody_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AISPINE_")]:
        monkeypatch.delenv(name)
    with serving(lambda _: reply({})) as local, serving(lambda _: reply({})) as other:
        (tmp_path / "stack.json").write_text(json.dumps({"url": local.url, "api_key": "secret"}))
        monkeypatch.setenv("AISPINE_HOME", str(tmp_path))
        settings.current.cache_clear()
        for flags in ([], ["--url", other.url], ["--url", other.url, "--api-key", "theirs"]):
            assert CliRunner().invoke(main, [*flags, "auth", "test"]).exit_code == 0
    settings.current.cache_clear()
    assert [request.headers.get("Authorization") for request in local.requests] == ["Bearer secret"]
    assert [request.headers.get("Authorization") for request in other.requests] == [None, "Bearer theirs"]
