"""Reading the value of one key out of the tree: what it must be, and what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from aispine.errors import ExpressionError, InvalidRequest
from aispine.flow import secret, semver
from aispine.flow.duration import HINT, parse_duration
from aispine.flow.expression import Condition, Selection, Template
from aispine.flow.guard import guard_text
from aispine.flow.inputs import schema_problem
from aispine.flow.keys import Key, Kind
from aispine.flow.reading import Link, Misfit, Reading, Use, did_you_mean, expected, kind_of
from aispine.flow.references import SECRETS_RULE, shorten
from aispine.flow.schedule import CRON_HINT, cron_problem, timezones
from aispine.flow.tree import Tree

MAX_ID: Final = 100
RESERVED: Final = frozenset({"continue", "fail"})
NODE_ID: Final = r"^[A-Za-z_][A-Za-z0-9_-]*$"
FLOW_ID: Final = r"^[A-Za-z0-9_][A-Za-z0-9_-]*$"
ID_RULE: Final = "An id starts with a letter or `_` and goes on with letters, digits, `_` and `-`."
AGENT_ID: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?$"


def read_value(tree: Tree, key: Key, reading: Reading) -> Any:
    """The value of a key; raises `Misfit` when it is not what the key takes."""
    return _READERS[key.kind](tree, key, reading)


def _text(tree: Tree, _key: Key, _reading: Reading) -> str:
    if isinstance(tree.value, str) and tree.value.strip():
        return tree.value
    if isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
        raise expected("a text", tree, f'Write it in quotes: "{tree.value}".')
    raise Misfit("is empty") if isinstance(tree.value, str) else expected("a text", tree)


def _identifier(pattern: str, rule: str) -> Callable[[Tree, Key, Reading], str]:
    def read(tree: Tree, key: Key, reading: Reading) -> str:
        text = _text(tree, key, reading)
        if len(text) > MAX_ID:
            raise Misfit(f"is longer than {MAX_ID} characters")
        if not re.fullmatch(pattern, text):
            raise Misfit(f"`{shorten(text, MAX_ID)}` is not valid", hint=rule)
        if text in RESERVED:
            raise Misfit(f"`{text}` is a reserved word", hint="Choose another id.")
        return text

    return read


def _node_ref(tree: Tree, key: Key, reading: Reading) -> str:
    text = _text(tree, key, reading)
    if text not in key.choices:
        reading.links.append(Link(target=text, position=tree.position, key=key.name))
    return text


def _node_refs(tree: Tree, key: Key, reading: Reading) -> tuple[str, ...]:
    trees = tree.items if isinstance(tree.value, list) else (tree,)
    return tuple(dict.fromkeys(_node_ref(each, key, reading) for each in trees))


def _agent(tree: Tree, key: Key, reading: Reading) -> tuple[str, str]:
    name, at, range_ = _text(tree, key, reading).partition("@")
    if not re.fullmatch(AGENT_ID, name) or len(name) > MAX_ID:
        raise Misfit(f"`{name[:MAX_ID]}` is not the name of an agent", hint="Write `name` or `name@range`.")
    return name, _check_range(range_, bool(at))


def _check_range(text: str, given: bool) -> str:  # Whether there was an `@` is what it is asked.
    if not given:
        return semver.ANY
    try:
        semver.check_range(text)
    except InvalidRequest as error:
        raise Misfit(error.message, hint=error.hint, code="invalid_range") from error
    return text or semver.ANY


def _range(tree: Tree, key: Key, reading: Reading) -> str:
    return _check_range(_text(tree, key, reading), True)  # noqa: FBT003


def _version(tree: Tree, key: Key, reading: Reading) -> str:
    text = _text(tree, key, reading)
    try:
        return str(semver.parse_version(text))
    except InvalidRequest as error:
        raise Misfit(error.message, hint=error.hint, code="invalid_version") from error


def _choice(tree: Tree, key: Key, _reading: Reading) -> str:
    if tree.value in key.choices:
        return str(tree.value)
    shown = tree.value if isinstance(tree.value, str) else kind_of(tree.value)
    raise Misfit(f"must be one of {', '.join(key.choices)}, not `{shown}`", hint=did_you_mean(shown, key.choices))


def _choices(tree: Tree, key: Key, reading: Reading) -> frozenset[str]:
    trees = tree.items if isinstance(tree.value, list) else (tree,)
    return frozenset(_choice(each, key, reading) for each in trees)


def _number(tree: Tree, key: Key, _reading: Reading) -> float:
    if isinstance(tree.value, bool) or not isinstance(tree.value, int | float):
        raise expected("a number", tree)
    return float(_in_range(tree.value, key))


def _integer(tree: Tree, key: Key, _reading: Reading) -> int:
    if isinstance(tree.value, bool) or not isinstance(tree.value, int):
        raise expected("a whole number", tree)
    return int(_in_range(tree.value, key))


def _in_range(value: float, key: Key) -> float:
    if key.minimum is not None and value < key.minimum:
        raise Misfit(f"must be at least {key.minimum:g}, not {value}")
    if key.maximum is not None and value > key.maximum:
        raise Misfit(f"must be at most {key.maximum:,}, not {value}")
    return value


def _boolean(tree: Tree, _key: Key, _reading: Reading) -> bool:
    if not isinstance(tree.value, bool):
        raise expected("true or false", tree)
    return tree.value


def read_duration(tree: Tree, key: Key, _reading: Reading) -> float:
    try:
        seconds = parse_duration(tree.value)
    except ValueError as error:
        raise Misfit(str(error), hint=HINT, code="invalid_duration") from error
    if key.exclusive and seconds == 0:
        raise Misfit("must be more than nothing", hint=HINT, code="invalid_duration")
    if key.minimum is not None and seconds < key.minimum:
        raise Misfit(f"must be at least {key.minimum:g} s", hint=HINT, code="invalid_duration")
    return seconds


def _duration_template(tree: Tree, key: Key, reading: Reading) -> Template:
    if isinstance(tree.value, str) and "${" in tree.value:
        return _template(tree, key, reading)
    return Template.parse(read_duration(tree, key, reading))


def _time_template(tree: Tree, key: Key, reading: Reading) -> Template:
    template = _template(tree, key, reading)
    if template.constant:
        try:
            datetime.fromisoformat(_text(tree, key, reading))
        except ValueError as error:
            hint = "Write for example `2030-01-31T09:00:00+01:00`."
            raise Misfit(f"`{tree.value}` is not an ISO 8601 timestamp", hint=hint) from error
    return template


def _condition(tree: Tree, key: Key, reading: Reading) -> Condition:
    return _parse_condition(guard_text(tree.value), tree, key, reading)


def _parse_condition(text: str | None, tree: Tree, key: Key, reading: Reading) -> Condition:
    if text is None:
        raise expected("a condition", tree, "For example `output.score > 0.5`.")
    try:
        condition = Condition.parse(text)
    except ExpressionError as error:
        raise _malformed(error, tree) from error
    reading.uses.append(Use(references=condition.references, position=tree.position, key=key.name))
    return condition


def _malformed(error: ExpressionError, tree: Tree) -> Misfit:
    position = tree.inside(error.errors[0]["column"]) if isinstance(tree.value, str) else tree.position
    return Misfit(error.message, hint=error.hint, position=position, code="invalid_expression")


def _conditions(tree: Tree, key: Key, reading: Reading) -> tuple[Condition, ...]:
    trees = tree.items if isinstance(tree.value, list) else (tree,)
    return tuple(_parse_condition(guard_text(each.value, mappings=True), each, key, reading) for each in trees)


def _selection(tree: Tree, key: Key, reading: Reading) -> Selection:
    text = _text(tree, key, reading)
    lone = text.startswith("${") and text.endswith("}")
    try:
        selection = Selection.parse(text[2:-1] if lone else text)
    except ExpressionError as error:
        raise _malformed(error, tree) from error
    reading.uses.append(Use(references=selection.references, position=tree.position, key=key.name))
    return selection


def _template(tree: Tree, key: Key, reading: Reading) -> Template:
    for leaf in _leaves(tree):
        try:
            part = Template.parse(leaf.value)
        except ExpressionError as error:
            raise _malformed(error, leaf) from error
        reading.uses.append(Use(references=part.references, position=leaf.position, key=key.name))
    return Template.parse(tree.value)


def _leaves(tree: Tree) -> list[Tree]:
    """The texts with an expression in them, each with its own place."""
    if isinstance(tree.value, str):
        return [tree] if "${" in tree.value else []
    inside = tree.members.values() if tree.members else tree.items
    return [leaf for each in inside for leaf in _leaves(each)]


def _templates(tree: Tree, key: Key, reading: Reading) -> Mapping[str, Template]:
    _object(tree, key, reading)
    return {name: _template(member, key, reading) for name, member in tree.members.items()}


def _object(tree: Tree, _key: Key, _reading: Reading) -> Mapping[str, Any]:
    if not isinstance(tree.value, dict):
        raise expected("a mapping", tree)
    return tree.value


def _config(tree: Tree, key: Key, reading: Reading) -> Mapping[str, Any]:
    for leaf in _leaves(tree):
        if secret.malformed(leaf.value):
            raise Misfit("names a secret in a way that is not known", hint=SECRETS_RULE, position=leaf.position)
    return _object(tree, key, reading)


def _schema(tree: Tree, _key: Key, _reading: Reading) -> Any:
    if not isinstance(tree.value, dict):
        raise expected("a JSON Schema", tree)
    if why := schema_problem(tree.value):
        raise Misfit(f"is not a valid JSON Schema: {why}", code="invalid_schema")
    return tree.value


def _list(tree: Tree, _key: Key, _reading: Reading) -> tuple[Tree, ...]:
    if not isinstance(tree.value, list):
        raise expected("a list", tree)
    if not tree.items:
        raise Misfit("is empty", hint="There must be at least one.")
    return tree.items


def _tree(tree: Tree, _key: Key, _reading: Reading) -> Tree:
    if not isinstance(tree.value, dict):
        raise expected("a mapping", tree)
    return tree


def _cron(tree: Tree, key: Key, reading: Reading) -> str:
    text = " ".join(_text(tree, key, reading).split())
    if why := cron_problem(text):
        raise Misfit(why, hint=CRON_HINT)
    return text


def _timezone(tree: Tree, key: Key, reading: Reading) -> str:
    text = _text(tree, key, reading)
    if text not in timezones():
        hint = did_you_mean(text, timezones()) or "Write a name such as `Europe/Madrid`, or `UTC`."
        raise Misfit(f"there is no time zone `{shorten(text, MAX_ID)}`", hint=hint)
    return text


_FLOW_RULE: Final = "A flow_id is made of letters, digits, `_` and `-`."

_READERS: Final[Mapping[Kind, Callable[[Tree, Key, Reading], Any]]] = {
    Kind.TEXT: _text,
    Kind.FLOW_ID: _identifier(FLOW_ID, _FLOW_RULE),
    Kind.NODE_ID: _identifier(NODE_ID, ID_RULE),
    Kind.NODE_TYPE: _text,
    Kind.NODE_REF: _node_ref,
    Kind.NODE_REFS: _node_refs,
    Kind.AGENT: _agent,
    Kind.VERSION: _version,
    Kind.RANGE: _range,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DURATION: read_duration,
    Kind.DURATION_TEMPLATE: _duration_template,
    Kind.TIME_TEMPLATE: _time_template,
    Kind.CONDITION: _condition,
    Kind.CONDITIONS: _conditions,
    Kind.SELECTION: _selection,
    Kind.TEMPLATE: _template,
    Kind.ANY: lambda tree, _key, _reading: tree.value,
    Kind.TEMPLATES: _templates,
    Kind.OBJECT: _object,
    Kind.CONFIG: _config,
    Kind.SCHEMA: _schema,
    Kind.NODES: _list,
    Kind.BRANCHES: _tree,
    Kind.CASES: _list,
    Kind.RETRY: _tree,
    Kind.CACHE: _tree,
    Kind.DEFAULTS: _tree,
    Kind.SCHEDULE: _tree,
    Kind.CRON: _cron,
    Kind.TIMEZONE: _timezone,
    Kind.SECTION: _tree,
    Kind.SECTIONS: _list,
}
