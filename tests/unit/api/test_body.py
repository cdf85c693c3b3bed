from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aispine.errors import InvalidRequest
from api import body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0")), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_what_fits_the_store_is_read_as_it_was_sent(value: Any) -> None:
    assert body.parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused_and_never_break_the_reader(data: bytes) -> None:
    try:
        value = body.parse(data)
    except InvalidRequest:
        return
    json.dumps(value, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not valid JSON"),
        (b'{"a":', "line 1, column 6"),
        (b"\xff{}", "byte 0"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "1e999"),
        (b"[" + b"9" * 400 + b"]", "too large"),
        (b"[" + b"9" * 5000 + b"]", "not valid JSON"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["\\ud800"]', "surrogate"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b"[" * 200_000, "deeper than 64"),
    ],
)
def test_json_that_the_store_cannot_keep_is_refused_with_the_reason(data: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says.replace("[", r"\[")):
        body.parse(data)


def test_json_at_the_limits_is_taken() -> None:
    assert body.parse(b"[" * 63 + b"1" + b"]" * 63)
    assert math.isfinite(body.parse(b"[1e308]")[0])
    assert body.parse(b'["\\ud83d\\ude00"]') == ["\N{GRINNING FACE}"]
