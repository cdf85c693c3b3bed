from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from aispine import logs
from aispine.errors import InvalidRequest
from aispine.settings import Settings


@pytest.fixture
def stream():
    """A stream to log to; the process logs as before once the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream: io.StringIO):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_object_a_line_with_the_bound_ids(stream):
    logs.configure(Settings(log_format="json"), stream)
    with logs.bound(request_id="r", tenant="t", execution="e", path="a[1]/b"):
        logs.get("aispine.engine").info("node.completed", seconds=0.5)
    logs.get("aispine.engine").info("after")
    inside, after = lines(stream)
    expected = {"event": "node.completed", "level": "info", "logger": "aispine.engine", "seconds": 0.5}
    assert expected | {"request_id": "r", "tenant": "t", "execution": "e", "path": "a[1]/b"} == {
        key: value for key, value in inside.items() if key != "time"
    }
    assert "execution" not in after


def test_records_of_other_packages_go_the_same_way_once(stream):
    foreign = logging.getLogger("celery")
    foreign.addHandler(logging.NullHandler())
    logs.configure(Settings(log_format="json"), stream)
    with logs.bound(execution="e"):
        logging.getLogger("celery.worker").warning("lost %s", "broker")
    (line,) = lines(stream)
    assert (line["event"], line["execution"], line["logger"]) == ("lost broker", "e", "celery.worker")


def test_a_traceback_stays_on_one_line(stream):
    logs.configure(Settings(log_format="json"), stream)
    try:
        raise ValueError("postgresql://u:hunter2@h/db")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (line,) = lines(stream)
    assert "ValueError" in line["exception"]
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_never_reach_the_log(stream, log_format):
    logs.configure(Settings(log_format=log_format), stream)
    logs.get("x").info(
        "connecting to redis://:hunter2@h:1/0 with Bearer hunter2hunter2 password=hunter2",
        headers={"Authorization": "hunter2", "X": ["https://u:hunter2@h/"]},
        api_key="hunter2",
        webhook_secret="hunter2",
        nested={"deep": [{"access_token": "hunter2"}]},
    )
    logging.getLogger("y").info("to %s", "postgresql+psycopg2://a:hunter2@/x")
    assert "hunter2" not in stream.getvalue()
    assert logs.REDACTED in stream.getvalue()


def test_what_only_sounds_secret_is_kept():
    usage = {"tokens_used": 5, "max_tokens": 9, "token_usage": 3, "path": "a/b", "url": "http://h:8700/x"}
    assert logs.redact(usage) == usage


def test_the_level_holds(stream):
    logs.configure(Settings(log_format="json", log_level="warning"), stream)
    logs.get("x").info("quiet")
    logging.getLogger("y").info("quiet")
    logs.get("x").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_people_get_plain_lines(stream):
    logs.configure(Settings(log_format="console"), stream)
    logs.get("x").info("hello", path="a")
    assert "hello" in stream.getvalue()
    assert "path=a" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_a_process_says_its_name(stream, monkeypatch):
    monkeypatch.setenv("AISPINE_PROCESS", "worker-io")
    logs.configure(Settings(log_format="json"), stream)
    logs.get("x").info("hello")
    assert lines(stream)[0]["process"] == "worker-io"


@pytest.mark.parametrize("changes", [{"log_level": "loud"}, {"log_format": "xml"}])
def test_an_unknown_setting_is_named(stream, changes):
    with pytest.raises(InvalidRequest) as error:
        logs.configure(Settings(**changes), stream)
    assert error.value.field in changes
