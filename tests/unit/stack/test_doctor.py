from __future__ import annotations

import socket

import pytest

from aispine.settings import Settings
from aispine.stack import home
from aispine.stack.doctor import examine, examine_remote
from tests.unit.cli.standin import problem, reply, serving


def checks(folder, *, embedded=True, **changes):
    return {check.name: check for check in examine(Settings(home=folder, **changes), embedded=embedded)}


def test_before_the_first_start_every_failure_says_what_to_do(tmp_path):
    found = checks(tmp_path / "new")
    failed = {name for name, check in found.items() if check.state == "failed"}
    assert failed == {"database", "redis", "web", "workers"}
    assert {found[name].remedy for name in failed} == {"Start it: aispine up"}
    assert not (tmp_path / "new").exists()


def test_an_open_key_file_is_named_with_its_remedy(tmp_path):
    path = tmp_path / home.KEYS_FILE
    path.write_text("key")
    path.chmod(0o644)
    check = checks(tmp_path)["key files"]
    assert check.state == "failed"
    assert check.remedy == f"Close them: chmod 600 {path}"


def test_the_embedded_programs_do_not_matter_to_an_outside_database(tmp_path):
    assert checks(tmp_path, embedded=False)["programs"].state == "skipped"


def test_servers_that_do_not_answer_are_told_apart(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{closed.getsockname()[1]}"
        found = checks(
            tmp_path,
            database_url=f"postgresql+psycopg2://x@{where}/x",
            redis_url=f"redis://{where}/0",
            url=f"http://{where}",
        )
    assert [name for name, check in found.items() if check.state == "failed"] == [
        "database",
        "migrations",
        "redis",
        "web",
        "workers",
    ]
    assert all(found[name].detail for name in ("database", "migrations", "redis", "web", "workers"))


def test_of_a_broker_that_carries_no_questions_the_workers_are_not_asked(tmp_path):
    found = checks(tmp_path, redis_url="redis://127.0.0.1:1/0", broker_url="sqs://?region=eu-west-1")
    assert found["workers"].state == "skipped"
    assert "SQS" in found["workers"].detail


def test_a_broker_that_cannot_be_used_is_a_line_of_its_own(tmp_path):
    found = checks(tmp_path, redis_url="redis://127.0.0.1:1/0", broker_url="kafka://h")
    assert (found["broker"].state, found["workers"].state) == ("failed", "failed")
    assert "AISPINE_BROKER_URL" in found["broker"].detail


@pytest.mark.parametrize("name", ["home", "disk"])
def test_a_home_that_is_there_is_well(tmp_path, name):
    assert checks(tmp_path)[name].state == "ok"


@pytest.mark.parametrize(("key", "state"), [("sk_1", "ok"), ("sk_2", "failed"), (None, "failed")])
def test_of_a_stack_elsewhere_only_what_its_api_shows_is_looked_at(tmp_path, key, state):
    def answer(request):
        if request.path == "/health":
            return reply({"version": "9.9.9"})
        return reply({}) if request.headers.get("Authorization") == "Bearer sk_1" else problem(401)

    with serving(answer) as server:
        found = {check.name: check for check in examine_remote(Settings(home=tmp_path, url=server.url, api_key=key))}
    assert found["web"].state == "ok"
    assert found["API key"].state == state
    assert {check.state for check in found.values()} <= {"ok", state, "skipped"}


def test_a_stack_elsewhere_that_does_not_answer_is_one_failure(tmp_path):
    with serving(lambda _: reply({})) as gone:
        pass
    states = [check.state for check in examine_remote(Settings(home=tmp_path, url=gone.url))]
    assert states == ["failed", "skipped", "skipped"]
