"""Reading YAML: values and places, and every kind of file that is refused."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aispine.flow.model import Position
from aispine.flow.reader import read
from aispine.flow.tree import Limits

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
)


def test_values_follow_the_core_schema_of_yaml_1_2():
    text = (
        "a: 2020-01-01\nb: yes\nc: 0x1F\nd: 1e3\ne: ~\nf: 1.5\ng: true\nh: '1'\ni: 012\nj: 0o17\nk: 1.2.0\nl: !!str 5\n"
    )
    assert read(text).root.value == {
        "a": "2020-01-01",
        "b": "yes",
        "c": 31,
        "d": 1000.0,
        "e": None,
        "f": 1.5,
        "g": True,
        "h": "1",
        "i": 12,
        "j": 15,
        "k": "1.2.0",
        "l": "5",
    }


def test_every_value_knows_its_place():
    root = read("a: 1\nb:\n  - x\n  - {c: 'text'}\n").root
    assert root.position == Position(line=1, column=1)
    assert root.keys["b"] == Position(line=2, column=1)
    assert root.members["b"].items[1].members["c"].position == Position(line=4, column=9)


def test_a_column_inside_a_text_counts_from_its_first_character():
    root = read("a: 'text'\nb: text\nc: |\n  text\n").root
    assert root.members["a"].inside(1) == Position(line=1, column=5)
    assert root.members["b"].inside(3) == Position(line=2, column=6)
    assert root.members["c"].inside(3) == root.members["c"].position


def test_aliases_and_merges_are_written_out():
    root = read("d: &d {x: 1, y: 2}\ne: {<<: *d, y: 3}\nf: *d\n").root
    assert root.value == {"d": {"x": 1, "y": 2}, "e": {"x": 1, "y": 3}, "f": {"x": 1, "y": 2}}


def test_bytes_with_a_byte_order_mark_are_read():
    assert read(b"\xef\xbb\xbfa: \xc3\xb1").root.value == {"a": "ñ"}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty", None),
        ("  \n# only a comment\n", "empty", None),
        ("---\n", "empty", None),
        ("null", "empty", None),
        ("text", "not_a_mapping", 1),
        ("- a\n- b\n", "not_a_mapping", 1),
        (b"\x89PNG\r\n\x1a\n\x00", "not_text", 1),
        (b"\xff\xfe\x00", "not_text", 1),
        ("a: 1\0", "not_text", 1),
        ("a: \x07", "not_text", None),
        ("\ud800", "not_text", 1),
        ("a: 1\na: 2\n", "duplicate_key", 2),
        ("b:\n  - {x: 1, x: 2}\n", "duplicate_key", 2),
        ("a:\n\tb: 1\n", "malformed_yaml", 2),
        ("a: [1\n", "malformed_yaml", 2),
        ("a: b: c\n", "malformed_yaml", 1),
        (BOMB, "too_large", 6),
        ("a: &a {b: *a}", "invalid_alias", 1),
        ("a: *x", "invalid_alias", 1),
        ("a: " + "[" * 5_000, "too_deep", 1),
        ("{a: " * 100_000, "too_deep", 1),
        ("a: 1\n---\nb: 2\n", "several_documents", 2),
        ("x: !!python/object/apply:os.system ['true']", "unknown_tag", 1),
        ("x: !custom 1", "unknown_tag", 1),
        ("x: !!timestamp 2020-01-01", "unknown_tag", 1),
        ("x: .nan", "invalid_value", 1),
        ("x: -.inf", "invalid_value", 1),
        ("x: 1e999", "invalid_value", 1),
        ("x: " + "9" * 5_000, "invalid_value", 1),
        ("x: !!int text", "invalid_value", 1),
        ('x: "\\0"', "invalid_value", 1),
        ("1: a", "invalid_key", 1),
        ("true: a", "invalid_key", 1),
        ("[1]: a", "invalid_key", 1),
        ("x" * 1_000_001, "too_large", None),
    ],
)
def test_what_is_no_flow_file_is_a_problem_with_its_place(text, code, line):
    document = read(text)
    assert [(problem.code, problem.line) for problem in document.problems] == [(code, line)]
    assert document.problems[0].message


def test_tabs_come_with_a_hint():
    assert "spaces" in read("a:\n\tb: 1\n").problems[0].hint


@pytest.mark.parametrize("text", [BOMB, "x" * 10_000_000, "[" * 900_000, "&a " * 300_000, "{" * 900_000])
def test_hostile_files_are_refused_fast(text):
    start = time.process_time()
    assert read(text).problems
    assert time.process_time() - start < 2


def test_several_mistakes_of_keys_come_together():
    assert len(read("a: 1\na: 2\n1: x\nb: .nan\n").problems) == 3


def test_an_alias_cannot_go_round_the_depth():
    text = "".join(f"k{i}: &k{i} [{'*k' + str(i - 1) if i else '1'}]\n" for i in range(100))
    assert read(text).problems[0].code == "too_deep"


def test_the_limits_are_arguments():
    assert read("a: 1", limits=Limits(max_bytes=3)).problems[0].code == "too_large"
    assert read("a: [1, 2, 3]", limits=Limits(max_values=3)).problems[0].code == "too_large"


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    document = read(data)
    assert document.root is not None or document.problems


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`# \n\t?,<~0.", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused(text):
    document = read(text)
    assert document.root is not None or document.problems
