"""The published schema and the reference say what the validator says."""

import pytest
import yaml
from jsonschema import Draft202012Validator

from aispine.flow.keys import CASE_KEYS, DEFAULTS_KEYS, FLOW_KEYS, RETRY_KEYS
from aispine.flow.model import NodeType
from aispine.flow.node_keys import NODE_KEYS
from aispine.flow.schedule_section import SCHEDULE_KEYS
from aispine.flow.schema import json_schema, reference
from aispine.flow.validation import check
from tests.unit.flow.test_validation import HEAD, MISTAKES, OLDER, WHOLE

EVERY_KEY = (*FLOW_KEYS, *NODE_KEYS, *RETRY_KEYS, *DEFAULTS_KEYS, *CASE_KEYS, *SCHEDULE_KEYS)
VALIDATOR = Draft202012Validator(json_schema())
SEEN_ONLY_BY_THE_VALIDATOR = frozenset(
    {"dangling_reference", "self_reference", "join_of_nothing", "invalid_expression", "out_of_scope", "invalid_range"}
    | {"invalid_schema", "duplicate_key"}
)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("text", [OLDER, WHOLE])
def test_what_the_validator_accepts_the_schema_accepts(text):
    assert check(text)[1] == ()
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


RULES = (
    "a reserved id",
    "a wait for nothing",
    "a wait for two",
    "a bad timestamp",
    "a decision without a way",
    "a long timeout",
    "a timeout's way out",
    "an answer's way out",
)
STRUCTURAL = [m for m in MISTAKES if m[2] not in SEEN_ONLY_BY_THE_VALIDATOR and m[0] not in RULES]


@pytest.mark.parametrize("nodes", [m[1] for m in STRUCTURAL if "config" not in m[1]])
def test_what_the_schema_can_see_it_refuses_too(nodes):
    assert list(VALIDATOR.iter_errors(yaml.safe_load(HEAD + nodes)))


def test_every_key_is_in_the_schema_and_in_the_reference():
    text = reference()
    for key in EVERY_KEY:
        assert f"`{key.name}`" in text
        assert all(f"`{alias}`" in text for alias in key.aliases)
        assert key.doc.endswith(".")
        assert key.example
    assert all(f"## Keys of `{node_type}`" in text for node_type in NodeType)


@pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: key.name)
def test_the_example_of_a_key_is_yaml_that_gives_the_key(key):
    assert key.name in yaml.safe_load(key.example)
