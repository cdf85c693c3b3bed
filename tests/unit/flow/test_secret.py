"""Secrets in flow files: where they may be named, and that only the file can name them."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.errors import ExpressionError
from aispine.flow import secret
from aispine.flow.expression import Condition, Selection, Template
from aispine.flow.problem import Problem
from aispine.flow.validation import check, load

SECRETS = {"key": "s3cret!", "user": "ada-lovelace"}


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("${secrets.key}", "s3cret!"),
        ("${ secrets.key }", "s3cret!"),
        ("Bearer ${secrets.key}", "Bearer s3cret!"),
        ("${secrets.user}:${secrets.key}", "ada-lovelace:s3cret!"),
        ("$${secrets.key}", "${secrets.key}"),
        ("$${input.x} ${secrets.key}", "${input.x} s3cret!"),
        ({"a": ["${secrets.key}", "${input.x}"], "b": 1}, {"a": ["s3cret!", 5], "b": 1}),
    ],
)
def test_a_secret_is_filled_in_where_the_file_names_it(source: Any, filled: Any) -> None:
    template = Template.parse(source)
    rendered = template.render({"input": {"x": 5}})
    assert "s3cret!" not in str(rendered)
    assert template.fill(rendered, SECRETS) == filled


def test_data_that_look_like_a_secret_stay_data() -> None:
    template = Template.parse({"key": "${secrets.key}", "said": "${input.said}", "whole": "${input}"})
    scope = {"input": {"said": "${secrets.user}"}}
    filled = template.fill(template.render(scope), SECRETS)
    assert filled == {"key": "s3cret!", "said": "${secrets.user}", "whole": {"said": "${secrets.user}"}}


@pytest.mark.parametrize(
    "text",
    [
        "${secrets}",
        "${secrets.key.more}",
        "${secrets.key} ${input.x}",
        "${input.x}${secrets.key}",
        "${secrets.1}",
        "${join('', [secrets.key])}",
        "${secrets.key",
        "${secrets.key} ${secrets.}",
    ],
)
def test_a_secret_is_named_in_one_way_alone(text: str) -> None:
    with pytest.raises(ExpressionError):
        Template.parse(text)


def test_nothing_else_of_the_language_sees_secrets() -> None:
    for parse in (Condition.parse, Selection.parse):
        with pytest.raises(ExpressionError) as raised:
            parse("secrets.key")
        assert "secrets.NAME" in str(raised.value.hint)


def test_a_config_is_filled_in_without_being_a_template() -> None:
    config = {"auth": "Bearer ${secrets.key}", "prompt": "${input.x} $${secrets.key}", "n": [1, "${secrets.user}"]}
    assert secret.names(config) == {"key", "user"}
    assert secret.fill(config, SECRETS) == {
        "auth": "Bearer s3cret!",
        "prompt": "${input.x} $${secrets.key}",
        "n": [1, "ada-lovelace"],
    }


FLOW = """flow_id: f
version: 1.0.0
nodes:
  - {{id: a, type: processor, agent_id: echo{keys}}}
  - {{id: b, type: transform, depends_on: [a]{more}}}
"""


def _problems(keys: str = "", more: str = "") -> list[Problem]:
    return list(check(FLOW.format(keys=keys, more=more))[1])


def test_a_node_that_calls_knows_which_secrets_it_needs() -> None:
    text = FLOW.format(keys=', input: {k: "${secrets.key}"}, config: {u: "${secrets.user}"}', more="")
    nodes = {node.id: node for node in load(text).nodes}
    assert nodes["a"].secrets == {"key", "user"}
    assert nodes["b"].secrets == frozenset()


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        (', set: {x: "${secrets.key}"}', ""),
        ("", ', input: "${secrets.key}"'),
        ("", ', output: {x: ["${secrets.key}"]}'),
        (', config: {x: "${secrets.key.more}"}', ""),
    ],
)
def test_secrets_are_known_only_to_calls(keys: str, more: str) -> None:
    (problem,) = _problems(keys, more)
    assert "secrets.NAME" in str(problem.hint)
