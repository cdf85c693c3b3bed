"""Inputs against a flow's `input_schema` (JSON Schema, draft 2020-12; nothing is ever fetched)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import referencing
from jsonschema.exceptions import SchemaError, ValidationError
from referencing.exceptions import Unresolvable

from aispine.errors import InvalidInput
from aispine.flow.misfit import words
from aispine.flow.model import Flow
from aispine.flow.schema_cost import REFERENCES, Endless, check_cost, resolve
from aispine.flow.schema_rules import Validator, pattern_problem

MAX_ERRORS: Final = 100
_FAILURES: Final = (ValueError, TypeError, LookupError, ArithmeticError)
"""What jsonschema lets through for a schema that is odd, though it fits the schema of schemas."""


def check_input(flow: Flow, value: Any) -> None:
    """Raises `InvalidInput` with every misfit of a flow's input; `errors` are `{path, message}`."""
    if flow.input_schema is not None:
        check_value(flow.input_schema, value)


def check_value(schema: Mapping[str, Any], value: Any, what: str = "input") -> None:
    """Raises `InvalidInput` unless a JSON value fits a JSON Schema; `what` names the value in paths and messages."""
    try:
        misfits = _misfits(schema, value, what)
    except (RecursionError, Unresolvable, *_FAILURES) as error:
        raise InvalidInput(f"the {what} cannot be checked against its schema: {error}") from error
    if misfits:
        first, more = misfits[0], len(misfits) - 1
        others = f" (and {more} more)" if more else ""
        raise InvalidInput(f"{first['path']}: {first['message']}{others}", field=first["path"], errors=misfits)


def schema_problem(schema: Any) -> str | None:
    """What is wrong with a JSON Schema, None when nothing is."""
    if remote := next(_remote(schema), None):
        return f"the reference `{remote}` points outside of the schema; only `#...` is allowed"
    try:
        Validator.check_schema(schema)
        if malformed := pattern_problem(schema):
            return malformed
        if dangling := next(_dangling(schema, schema), None):
            return f"the reference `{dangling}` leads nowhere"
        check_cost(schema)
        if _keys(schema) >= {"unevaluatedProperties", "patternProperties"}:
            # For what the one leaves the library looks for the patterns itself, and nothing could interrupt it.
            return "`unevaluatedProperties` and `patternProperties` cannot stand in one schema"
        list(_validator(_canonical(schema)).iter_errors({}))
    except SchemaError as error:
        return f"{_path(error, 'schema')}: {error.message[:300]}"
    except Unresolvable as error:
        return f"the reference `#{error.ref}` leads nowhere"
    except (Endless, RecursionError):
        return "the schema refers to itself without end"
    except _FAILURES as error:
        return f"the schema cannot be used: {error}"
    return None


def _misfits(schema: Mapping[str, Any], value: Any, what: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for error in _validator(_canonical(schema)).iter_errors(value):
        found.append({"path": _path(error, what), "message": words(error, schema)[:500]})
        if len(found) >= MAX_ERRORS:
            break
    return sorted(found, key=lambda each: each["path"])


def _path(error: ValidationError | SchemaError, root: str) -> str:
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)


def _canonical(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)


@functools.lru_cache(maxsize=512)
def _validator(schema: str) -> Any:
    # An empty registry refuses to retrieve anything, from the network as from files.
    return Validator(json.loads(schema), registry=referencing.Registry())


def _keys(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value).union(*map(_keys, value.values()))
    return set[str]().union(*map(_keys, value)) if isinstance(value, list | tuple) else set()


def _remote(schema: Any) -> Iterator[str]:
    return (target for target in _targets(schema) if not target.startswith("#"))


def _dangling(schema: Any, root: Any) -> Iterator[str]:
    return (target for target in _targets(schema) if target.startswith("#/") and not _leads_somewhere(target, root))


def _targets(schema: Any) -> Iterator[str]:
    """Every text under `$ref` or `$dynamicRef`, wherever it stands."""
    if isinstance(schema, Mapping):
        yield from (target for name in REFERENCES if isinstance(target := schema.get(name), str))
        for member in schema.values():
            yield from _targets(member)
    elif isinstance(schema, list | tuple):
        for item in schema:
            yield from _targets(item)


def _leads_somewhere(target: str, root: Any) -> bool:
    try:
        resolve(target, root)
    except LookupError:
        return False
    return True
