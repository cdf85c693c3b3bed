from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aispine.errors import InvalidRequest
from cli import inputs, text


def test_json_is_taken_as_it_is() -> None:
    assert inputs.object_input('{"name": "Ada", "n": [1, 2.5, null]}') == {"name": "Ada", "n": [1, 2.5, None]}


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_bytes(b'\xef\xbb\xbf{"name": "Ad\xc3\xa0"}')
    assert inputs.object_input(f"@{file}") == {"name": "Adà"}


def test_a_dash_reads_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 1}')))
    assert inputs.object_input("-") == {"a": 1}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{name: Ada}", "is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("", "is not JSON"),
        ("[1]", "must be a JSON object, not a list"),
        ("null", "must be a JSON object, not null"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "is not JSON that a flow takes"),
        ("@/nonexistent/input.json", "/nonexistent/input.json cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_input_is_refused_naming_the_flag(value: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        inputs.object_input(value)
    assert raised.value.message.startswith("--input")
    assert said in raised.value.message


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        inputs.object_input(f"@{tmp_path / 'x'}")


@given(st.text(max_size=50))
def test_any_text_is_an_object_or_refused(value: str) -> None:
    if value.startswith("@") or value == "-":
        return
    with contextlib.suppress(InvalidRequest):
        assert isinstance(inputs.object_input(value), dict)


def test_pairs_keep_everything_after_the_first_equals_sign() -> None:
    assert inputs.pairs(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("value", ["a", "=1", ""])
def test_a_pair_without_a_key_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="--label"):
        inputs.pairs([value])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 ms"), (0.0124, "12 ms"), (0.9996, "1.0 s"), (59.96, "1 m 00 s"), (185, "3 m 05 s"), (7620, "2 h 07 m")],
)
def test_durations_are_read_at_a_glance(seconds: float, said: str) -> None:
    assert text.duration(seconds) == said


def test_a_time_is_shown_in_the_local_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text.local("2026-01-01T00:00:00Z") is not None
    assert text.between("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5+00:00") == 1.5
    assert text.local(None) is None


@given(st.text())
def test_printable_text_has_no_control_characters(value: str) -> None:
    assert all(char in "\t\n" or char.isprintable() or ord(char) > 159 for char in text.printable(value))


def test_a_file_may_be_yaml(tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    file.write_text("name: Ada\nversions: [1, 2.5, 2026-01-01]\n")
    assert inputs.object_input(f"@{file}") == {"name": "Ada", "versions": [1, 2.5, "2026-01-01"]}


def test_a_yaml_file_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    file = tmp_path / "input.yml"
    file.write_text("name: Ada\nname: Eve\n")
    with pytest.raises(InvalidRequest, match=r"--input: .*input\.yml:2:1: "):
        inputs.object_input(f"@{file}")
