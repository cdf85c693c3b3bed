"""The smaller parts: versions, durations, retries, inputs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aispine.errors import InvalidInput, InvalidRequest
from aispine.flow import retry, semver
from aispine.flow.duration import parse_duration
from aispine.flow.inputs import check_input, check_value, schema_problem
from aispine.flow.model import RetryPolicy
from aispine.flow.validation import load

RNG = random.Random(7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (30, 30.0),
        (0.5, 0.5),
        ("30s", 30.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("1d", 86400.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
    ],
)
def test_a_duration_is_seconds(value, seconds):
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    "value",
    [-1, float("nan"), float("inf"), 366 * 86_400 + 1, "367d", "5 m", "m5", "", "5", True, None, [], "1" * 999 + "s"],
)
def test_an_absurd_duration_is_refused(value):
    with pytest.raises(ValueError, match="`"):
        parse_duration(value)


def test_the_best_version_is_the_highest_in_the_range():
    versions = ["1.0.0", "1.10.0", "1.9.3", "2.0.0", "2.1.0-rc.1"]
    assert semver.best("^1.0", versions) == "1.10.0"
    assert semver.best("*", versions) == "2.0.0"
    assert semver.best(">=3", versions) is None
    assert semver.matches("~1.9", "v1.9.3")
    assert semver.next_patch("1.9.3") == "1.9.4"


@pytest.mark.parametrize("text", ["^^", "one", "1.x.y.z", ">", "9" * 200])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(InvalidRequest):
        semver.check_range(text)


def test_what_is_no_version_is_refused_with_the_nearest_one():
    with pytest.raises(InvalidRequest) as caught:
        semver.parse_version("1.2")
    assert "1.2.0" in caught.value.hint


@pytest.mark.parametrize(
    ("backoff", "delays"),
    [("fixed", [2, 2, 2, 2]), ("linear", [2, 4, 6, 8]), ("exponential", [2, 6, 10, 10])],
)
def test_the_delay_grows_as_the_policy_says(backoff, delays):
    policy = RetryPolicy(max_attempts=5, backoff=backoff, initial_delay=2, multiplier=3, max_delay=10, jitter="none")
    assert [retry.delay(policy, attempt, RNG) for attempt in (1, 2, 3, 4)] == delays
    assert retry.delay(policy, 5, RNG) is None


def test_no_attempt_starts_after_max_elapsed():
    policy = RetryPolicy(max_attempts=9, initial_delay=5, jitter="none", max_elapsed=20)
    assert retry.delay(policy, 1, RNG, elapsed=15) == 5
    assert retry.delay(policy, 1, RNG, elapsed=16) is None


@given(st.integers(1, 99), st.floats(0, 100), st.floats(1, 100), st.integers(0, 2**32))
def test_full_jitter_lies_between_nothing_and_the_whole_delay(attempt, initial, multiplier, seed):
    policy = RetryPolicy(max_attempts=100, initial_delay=initial, multiplier=multiplier, max_delay=60)
    assert 0 <= retry.delay(policy, attempt, random.Random(seed)) <= 60


def test_only_the_named_failures_are_retried():
    assert retry.retryable(RetryPolicy(), "timeout")
    assert not retry.retryable(RetryPolicy(), "agent_error")
    assert retry.retryable(RetryPolicy(retry_on=frozenset({"agent_error"})), "agent_error")


FLOW = """\
flow_id: f
version: 1.0.0
input_schema:
  type: object
  required: [document]
  properties: {pages: {type: array, items: {type: integer}}}
nodes: [{id: a, type: input}]
"""


def test_an_input_that_does_not_fit_is_refused_with_the_path_of_each_misfit():
    flow = load(FLOW)
    check_input(flow, {"document": "x", "pages": [1]})
    with pytest.raises(InvalidInput) as caught:
        check_input(flow, {"pages": [1, "two"]})
    assert [error["path"] for error in caught.value.errors] == ["input", "input.pages[1]"]
    assert "`document` is required" in caught.value.message


def test_without_a_schema_any_input_is_fine():
    check_input(load("flow_id: f\nversion: 1.0.0\nnodes: [{id: a, type: input}]\n"), [1, None])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objct"},
        {"$ref": "http://example.org/schema"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"$ref": "other.json"}}},
        {"$ref": "#/nowhere"},
        {"properties": {"a": {"$ref": "#/$defs/nowhere"}}},
        {"$ref": "#"},
        {"pattern": "("},
        {"$id": "http://[", "$ref": "#/x"},
        {"$ref": "#nowhere"},
        {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
        {"$defs": {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(22)} | {"a22": {}}},
        3,
    ],
)
def test_a_schema_that_cannot_be_used_is_told(schema):
    assert schema_problem(schema)


def test_properties_may_have_the_names_of_keywords():
    assert schema_problem({"properties": {"allOf": True, "$ref": {"type": "string"}, "dependentSchemas": {}}}) is None


def test_a_schema_may_refer_to_itself_one_level_down():
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}
    assert schema_problem(tree) is None
    with pytest.raises(InvalidInput):
        check_value(tree, {"children": [{"children": 3}]})


def test_references_inside_a_schema_are_followed():
    schema = {"properties": {"a": {"$ref": "#/$defs/a~1b"}}, "$defs": {"a/b": {"type": "integer"}}}
    assert schema_problem(schema) is None
    with pytest.raises(InvalidInput):
        check_value(schema, {"a": "x"})
