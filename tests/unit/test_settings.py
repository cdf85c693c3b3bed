"""Where a setting comes from, and what a variable that cannot be read says."""

from __future__ import annotations

from pathlib import Path

import pytest

from aispine import settings
from aispine.errors import InvalidRequest


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in settings.Settings.__dataclass_fields__:
        monkeypatch.delenv(f"AISPINE_{name.upper()}", raising=False)
    monkeypatch.setenv("AISPINE_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("port", "9000", 9000),
        ("lease", "2", 2.0),
        ("lease", " 2.5 ", 2.5),
        ("task_events", "Yes", True),
        ("task_events", "0", False),
        ("redis_url", "redis://h/0", "redis://h/0"),
        ("port", "  ", 8700),
        ("task_events", "", False),
    ],
)
def test_a_variable_is_read_by_its_type(
    variable: str, text: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AISPINE_{variable.upper()}", text)
    found = getattr(settings.load(tmp_path), variable)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("port", "x", "a whole number"),
        ("port", "1.5", "a whole number"),
        ("lease", "soon", "a number"),
        ("lease", "nan", "a number"),
        ("lease", "inf", "a number"),
        ("task_events", "maybe", "true or false"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(
    variable: str, text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AISPINE_{variable.upper()}", text)
    with pytest.raises(
        InvalidRequest, match=f"^AISPINE_{variable.upper()} must be {expected}; it is `{text}`$"
    ) as told:
        settings.load(tmp_path)
    assert told.value.field == variable


def test_the_environment_wins_over_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aispine.toml").write_text("port = 9000\nlog_level = 'debug'\n")
    monkeypatch.setenv("AISPINE_PORT", "9001")
    found = settings.load(tmp_path)
    assert (found.port, found.log_level) == (9001, "debug")
