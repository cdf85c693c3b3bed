"""The JSON Schema of flow files that editors complete from, and the reference of the language: both out of the table
of keys that the validator reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from aispine.flow.duration import MAX_SECONDS, PATTERN
from aispine.flow.keys import CACHE_KEYS, CASE_KEYS, DEFAULTS_KEYS, FLOW_KEYS, RETRY_KEYS, Key, Kind
from aispine.flow.model import NodeType
from aispine.flow.node_keys import NODE_KEYS, TYPE_ALIASES, keys_of
from aispine.flow.rehearsal_keys import (
    EXPECT_KEYS,
    MOCK_KEYS,
    NODE_EXPECT_KEYS,
    REHEARSAL_KEYS,
    SIGNAL_KEYS,
    TEST_KEYS,
)
from aispine.flow.schedule import CRON_SHAPE
from aispine.flow.schedule_section import SCHEDULE_KEYS
from aispine.flow.section import OWN
from aispine.flow.values import AGENT_ID, FLOW_ID, MAX_ID, NODE_ID

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REMARK: Final = "\n\nFor example `{}`."


def json_schema() -> Schema:
    """The published schema of a flow file, draft 2020-12. A file that it accepts can still have problems that only
    the validator sees, such as a cycle."""
    return {
        "$schema": DIALECT,
        "title": "AI Spine flow",
        **_section(FLOW_KEYS),
        "$defs": {
            "node": _node(),
            "retry": _section(RETRY_KEYS),
            "cache": _section(CACHE_KEYS),
            "defaults": _section(DEFAULTS_KEYS),
            "case": _section(CASE_KEYS),
            "schedule": _schedule(),
        },
    }


def _node() -> Schema:
    """A node is described by its type, so that an editor offers only the keys that belong there."""
    return {
        "type": "object",
        "required": ["id", "type"],
        "properties": {"type": {"enum": [*NodeType, *TYPE_ALIASES]}},
        "allOf": [_when(node_type) for node_type in NodeType],
    }


def _schedule() -> Schema:
    return {**_section(SCHEDULE_KEYS), "oneOf": [{"required": ["cron"]}, {"required": ["every"]}]}


def _when(node_type: NodeType) -> Schema:
    names = [str(node_type), *(alias for alias, meant in TYPE_ALIASES.items() if meant is node_type)]
    keys = keys_of(node_type)
    return {"if": {"properties": {"type": {"enum": names}}, "required": ["type"]}, "then": _section(keys)}


def _section(keys: Iterable[Key]) -> Schema:
    keys = tuple(keys)
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {f"^{OWN}": True},
        "properties": {name: _property(key, name) for key in keys for name in (key.name, *key.aliases)},
    }
    plain = [key.name for key in keys if key.required and not key.aliases]
    either = [key for key in keys if key.required and key.aliases]
    if plain:
        schema["required"] = plain
    if either:
        schema["allOf"] = [{"anyOf": [{"required": [name]} for name in (key.name, *key.aliases)]} for key in either]
    return schema


def _property(key: Key, name: str) -> Schema:
    doc = key.doc if name == key.name else f"The older name of `{key.name}`. {key.doc}"
    schema = {**_FRAGMENTS[key.kind](key), "description": doc + _REMARK.format(key.example)}
    return schema if key.default is None else {**schema, "default": key.default}


def _bounds(key: Key) -> Schema:
    bounds: Schema = {}
    if key.minimum is not None:
        bounds["minimum"] = key.minimum
    if key.maximum is not None:
        bounds["maximum"] = key.maximum
    return bounds


def _duration(key: Key) -> Schema:
    bound = "exclusiveMinimum" if key.exclusive else "minimum"
    number = {"type": "number", bound: key.minimum or 0, "maximum": MAX_SECONDS}
    return {"anyOf": [number, {"type": "string", "pattern": PATTERN}]}


def _nodes(_: Key) -> Schema:
    return {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/node"}}


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_CONDITION: Final[Schema] = {"type": ["string", "boolean"]}
_GUARD: Final[Schema] = {
    "anyOf": [
        _CONDITION,
        {
            "type": "object",
            "properties": {"field": {"type": "string"}, "operator": {"type": "string"}, "value": True},
            "required": ["field", "operator", "value"],
            "additionalProperties": False,
        },
    ]
}
_TEMPLATE_TEXT: Final[Schema] = {"type": "string", "pattern": r"\$\{"}

_FRAGMENTS: Final[Mapping[Kind, Callable[[Key], Schema]]] = {
    Kind.TEXT: lambda _: _TEXT,
    Kind.FLOW_ID: lambda _: {"type": "string", "pattern": FLOW_ID, "maxLength": MAX_ID},
    Kind.NODE_ID: lambda _: {"type": "string", "pattern": NODE_ID, "maxLength": MAX_ID},
    Kind.NODE_TYPE: lambda _: {"enum": [*map(str, NodeType), *TYPE_ALIASES]},
    Kind.NODE_REF: lambda _: _TEXT,
    Kind.NODE_REFS: lambda _: _one_or_more(_TEXT),
    Kind.AGENT: lambda _: {"type": "string", "pattern": AGENT_ID.replace("$", "(@.*)?$")},
    Kind.VERSION: lambda _: {"type": "string", "pattern": r"^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$"},
    Kind.RANGE: lambda _: _TEXT,
    Kind.CHOICE: lambda key: {"enum": list(key.choices)},
    Kind.CHOICES: lambda key: _one_or_more({"enum": list(key.choices)}),
    Kind.INTEGER: lambda key: {"type": "integer", **_bounds(key)},
    Kind.NUMBER: lambda key: {"type": "number", **_bounds(key)},
    Kind.BOOLEAN: lambda _: {"type": "boolean"},
    Kind.DURATION: _duration,
    Kind.DURATION_TEMPLATE: lambda key: {"anyOf": [_duration(key), _TEMPLATE_TEXT]},
    Kind.TIME_TEMPLATE: lambda _: _TEXT,
    Kind.CONDITION: lambda _: _CONDITION,
    Kind.CONDITIONS: lambda _: _one_or_more(_GUARD),
    Kind.SELECTION: lambda _: _TEXT,
    Kind.TEMPLATE: lambda _: {},
    Kind.ANY: lambda _: {},
    Kind.TEMPLATES: lambda _: {"type": "object"},
    Kind.OBJECT: lambda _: {"type": "object"},
    Kind.CONFIG: lambda _: {"type": "object"},
    Kind.SCHEMA: lambda _: {"type": "object"},
    Kind.NODES: _nodes,
    Kind.BRANCHES: lambda key: {"type": "object", "minProperties": 1, "additionalProperties": _nodes(key)},
    Kind.CASES: lambda _: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/case"}},
    Kind.RETRY: lambda _: {"$ref": "#/$defs/retry"},
    Kind.CACHE: lambda _: {"$ref": "#/$defs/cache"},
    Kind.DEFAULTS: lambda _: {"$ref": "#/$defs/defaults"},
    Kind.SCHEDULE: lambda _: {"$ref": "#/$defs/schedule"},
    Kind.CRON: lambda _: {"type": "string", "pattern": CRON_SHAPE},
    Kind.TIMEZONE: lambda _: _TEXT,
}


def reference() -> str:
    """Every key of the language as Markdown tables: type, default, example."""
    parts = ["## Keys of a flow", _rows(FLOW_KEYS), "## Keys of `defaults`", _rows(DEFAULTS_KEYS)]
    parts += ["## Keys of `schedule`", _rows(SCHEDULE_KEYS)]
    parts += ["## Keys of every node", _rows(key for key in NODE_KEYS if len(key.types) == len(NodeType))]
    for node_type in NodeType:
        own = [key for key in keys_of(node_type) if len(key.types) < len(NodeType)]
        parts += [f"## Keys of `{node_type}`", _rows(own) if own else "None of its own."]
    parts += [
        "## Keys of a retry policy",
        _rows(RETRY_KEYS),
        "## Keys of `cache`",
        _rows(CACHE_KEYS),
        "## Keys of a case",
        _rows(CASE_KEYS),
    ]
    return "\n\n".join(parts) + "\n"


def rehearsal_reference() -> str:
    """Every key of a test file as Markdown tables."""
    sections = {
        "a test file": TEST_KEYS,
        "a test case": REHEARSAL_KEYS,
        "an answer of an agent": MOCK_KEYS,
        "a signal": SIGNAL_KEYS,
        "`expect`": EXPECT_KEYS,
        "an expected node": NODE_EXPECT_KEYS,
    }
    return "\n\n".join(f"## Keys of {what}\n\n{_rows(keys)}" for what, keys in sections.items()) + "\n"


def _rows(keys: Iterable[Key]) -> str:
    return "\n".join(["| key | type | default | what it does | example |", "|---|---|---|---|---|", *_lines(keys)])


def _lines(keys: Iterable[Key]) -> Iterator[str]:
    for key in keys:
        names = ", ".join(f"`{name}`" for name in (key.name, *key.aliases))
        default = "required" if key.required else "" if key.default is None else f"`{json.dumps(key.default)}`"
        cells = (names, _kind(key), default, key.doc, f"`{key.example}`")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(key: Key) -> str:
    if key.choices:
        return f"{key.kind} {', '.join(f'`{choice}`' for choice in key.choices)}"
    return str(key.kind)
