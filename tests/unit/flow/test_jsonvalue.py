from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aispine.flow.jsonvalue import MAX_DEPTH, normal, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=30,
)


@given(JSON)
def test_json_stays_what_it_is(value):
    assert normal(value) == value


def test_tuples_are_lists_and_keys_are_texts():
    assert normal({1: (1, 2)}) == {"1": [1, 2]}


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_is_bounded():
    assert normal(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 900, 100_000):
        with pytest.raises(ValueError, match="nested deeper"):
            normal(nested(depth))
        with pytest.raises(ValueError, match="nested deeper"):
            parse(b"[" * depth + b"]" * depth)


def test_wide_values_are_not_deep():
    assert len(normal([[] for _ in range(1000)])) == 1000


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udc00\ud800", "\\\0"])
def test_text_that_cannot_be_stored_is_refused(text):
    for value in (text, [text], {text: 1}, {"a": [{"b": text}]}):
        with pytest.raises(ValueError, match=r"NUL|surrogate"):
            normal(value)
        with pytest.raises(ValueError, match=r"NUL|surrogate"):
            parse(json.dumps(value).encode())


@pytest.mark.parametrize("text", [r"\u0000", r"\ud800", "\U0001f600", "\U0010ffff\\u0000"])
def test_text_that_only_looks_like_it_stays_what_it_is(text):
    assert normal({text: [text]}) == {text: [text]}
    assert parse(json.dumps([text]).encode()) == [text]


def circular():
    value = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, {"a": [-math.inf]}, {1, 2}, object(), b"x", {(1, 2): 3}, circular()]
)
def test_what_is_not_json_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the library's.
        normal(value)


@pytest.mark.parametrize("text", [b"", b"nonsense", b"NaN", b"[Infinity]", b"1e999", b'{"a":', b"\xff", b"1" * 5000])
def test_text_that_is_not_json_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - as above.
        parse(text)


@given(st.binary())
def test_any_bytes_are_json_or_a_value_error(data):
    try:
        parse(data)
    except ValueError:
        return
