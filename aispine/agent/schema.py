"""JSON Schemas of agents: compiled once, and nothing is ever fetched for one."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema.exceptions import SchemaError, ValidationError
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from aispine.agent.definition import AgentVersion
from aispine.flow import inputs
from aispine.flow.misfit import words
from aispine.flow.schema_rules import Validator, pattern_problem

MOST_MISFITS: Final = 10


def input_misfits(agent: AgentVersion, value: Any) -> list[str]:
    """Says where `value` does not fit the agent's input_schema; empty when it fits."""
    return [] if agent.input_schema is None else _misfits(_validators(agent)[0], value)


def output_misfits(agent: AgentVersion, value: Any) -> list[str]:
    """Says where `value` does not fit the agent's output_schema; empty when it fits."""
    return [] if agent.output_schema is None else _misfits(_validators(agent)[1], value)


def schema_problem(schema: Any) -> str | None:
    """Says what is wrong with a JSON Schema, None when it can be used."""
    if not isinstance(schema, Mapping):
        return "must be a JSON Schema (an object)"
    try:
        Validator.check_schema(schema)
    except SchemaError as error:
        return f"is not a valid JSON Schema: {_place(error)}: {error.message}"
    if malformed := pattern_problem(schema):
        return f"is not a valid JSON Schema: {malformed}"
    remote = next(_remote_references(schema), None)
    if remote is not None:
        return f"refers to {remote!r}; only references inside the schema (`#...`) are followed"
    problem = inputs.schema_problem(schema)
    return None if problem is None else f"cannot be used: {problem}"


@functools.lru_cache(maxsize=1024)
def _validators(agent: AgentVersion) -> tuple[Any, Any]:
    return _compile(agent.input_schema), _compile(agent.output_schema)


def _compile(schema: Mapping[str, Any] | None) -> Any:
    return Validator({} if schema is None else schema, registry=EMPTY_REGISTRY)


def _misfits(validator: Any, value: Any) -> list[str]:
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    except ValueError as error:
        return [f"the schema cannot be applied: {error}"]
    except (Unresolvable, RecursionError) as error:
        return [f"the schema cannot be applied: {type(error).__name__}"]
    return [f"{_place(error)}: {_shortened(words(error, validator.schema))}" for error in errors[:MOST_MISFITS]]


def _place(error: ValidationError | SchemaError) -> str:
    return error.json_path.removeprefix("$.") if error.path else "the value"


def _shortened(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:100]} ... {message[-97:]}"


def _remote_references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference
        schema = list(schema.values())
    if isinstance(schema, list):
        for item in schema:
            yield from _remote_references(item)
