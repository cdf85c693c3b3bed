"""Selections: JMESPath over a scope, with bounded work."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from aispine.errors import ExpressionError
from aispine.flow import references
from aispine.flow.references import References, malformed, shorten, suggest
from aispine.flow.size import LIMIT, measure

MAX_LENGTH: Final = 4_000
MAX_DEPTH: Final = 60
MAX_WORK: Final = 1_000_000
"""The steps that one evaluation may take, about two microseconds each: visits, and a part of what they produce."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """One JMESPath expression, compiled once."""

    source: str
    references: References = field(compare=False, repr=False)
    path: tuple[str | int, ...] | None = field(default=None, compare=False, repr=False)
    """The keys and indices when the expression only follows a path, so that it needs no interpreter."""
    _tree: Mapping[str, Any] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Selection:
        """Reads a selection; raises `ExpressionError` with the column of what is wrong."""
        return _compiled(text)

    def select(self, scope: Mapping[str, Any]) -> Any:
        """The selected JSON value, null where nothing is there; raises `ExpressionError` when it cannot be had."""
        if self.path is not None:
            return _follow(self.path, scope)
        try:
            result = _Interpreter().visit(self._tree, scope)
            measure(result)
        except (ExpressionError, JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            message = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ExpressionError(f"`{shorten(self.source)}` cannot be evaluated: {message}") from error
        return result


@functools.lru_cache(maxsize=4096)
def _compiled(text: str) -> Selection:
    tree = _parse(text)
    try:
        found = _References(text).of(tree, at_root=True)
    except RecursionError as error:
        raise malformed(text, "the expression is nested too deeply") from error
    return Selection(source=text, references=found, path=_path(tree), _tree=tree)


def _parse(text: str) -> Mapping[str, Any]:
    if not text.strip():
        raise malformed(text, "the expression is empty")
    if len(text) > MAX_LENGTH:
        raise malformed(text, f"the expression is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed: Mapping[str, Any] = jmespath.compile(text).parsed
    except ParseError as error:
        why = error.message if isinstance(error, LexerError) else f"{error.msg}"
        raise malformed(text, _one_line(why), (error.lex_position or 0) + 1, hint=_syntax_hint(text)) from error
    except (JMESPathError, ValueError, RecursionError) as error:
        raise malformed(text, _one_line(str(error)) or "the expression is malformed") from error
    return parsed


def _one_line(text: str) -> str:
    return text.splitlines()[0].rstrip(".") if text else "the expression is malformed"


def _syntax_hint(text: str) -> str | None:
    if "-" in text:
        return 'A name with `-` is quoted: nodes."my-id".output.'
    return None


def _path(tree: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    kind = tree["type"]
    if kind in {"field", "index"}:
        return (tree["value"],)
    if kind not in {"subexpression", "index_expression"}:
        return None
    steps: tuple[str | int, ...] = ()
    for child in tree["children"]:
        inner = _path(child)
        if inner is None:
            return None
        steps += inner
    return steps


def _follow(path: tuple[str | int, ...], scope: Mapping[str, Any]) -> Any:
    value: Any = scope
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict | Mapping) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value


class _Functions(Functions):  # type: ignore[misc, unused-ignore] # jmespath has no types.
    """JMESPath's functions; those that could build something huge measure first."""

    @signature({"types": []})
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        measure(value)
        return json.dumps(value, separators=(",", ":"))

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        if sum(map(len, array)) + len(separator) * len(array) > LIMIT:
            raise ExpressionError(f"the text is longer than {LIMIT:,} characters")
        return separator.join(array)


_CHEAP: Final = 20
"""So many values are copied, or characters measured, in the time of one step."""
_OPTIONS: Final = Options(custom_functions=_Functions())


class _Interpreter(TreeInterpreter):  # type: ignore[misc, unused-ignore] # jmespath has no types.
    """JMESPath's interpreter with a budget: every step costs, and every value that it produces a little.

    Only a multi-select can make a value that is larger when written out than in memory, so those are measured.
    """

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self.left = MAX_WORK

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        result = super().visit(node, *args, **kwargs)
        self.spend(1 + (len(result) // _CHEAP if isinstance(result, list) else 0))
        return result

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        result = super().visit_multi_select_list(node, value)
        self.spend(1 + measure(result) // _CHEAP)
        return result

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        result = super().visit_multi_select_dict(node, value)
        self.spend(1 + measure(result) // _CHEAP)
        return result

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ExpressionError("it takes too much work")


class _References:
    """Walks a compiled selection once: refuses unknown roots and functions and collects the references."""

    def __init__(self, text: str) -> None:
        self.text = text

    def of(self, tree: Mapping[str, Any], *, at_root: bool, depth: int = 0) -> References:
        if depth > MAX_DEPTH:
            raise malformed(self.text, "the expression is nested too deeply")
        kind = tree["type"]
        if kind == "field":
            return references.root(tree["value"], self.text) if at_root else references.NOTHING
        if kind in {"current", "identity"}:
            return references.EVERYTHING if at_root else references.NOTHING
        if kind == "function_expression":
            self._check_call(tree)
        if kind in _STEPS:
            return self._steps(tree, at_root=at_root, depth=depth)
        inside = at_root and kind != "expref"
        return references.union(
            self.of(child, at_root=inside, depth=depth + 1) for child in tree["children"] if isinstance(child, Mapping)
        )

    def _steps(self, tree: Mapping[str, Any], *, at_root: bool, depth: int) -> References:
        first, *rest = tree["children"]
        after = references.union(self.of(step, at_root=at_root and _is_whole(first), depth=depth + 1) for step in rest)
        named = tree["type"] in {"subexpression", "pipe"} and rest[0]["type"] == "field"
        if at_root and named and _names(first, "nodes"):
            return after | references.node(rest[0]["value"])
        return after | self.of(first, at_root=at_root, depth=depth + 1)

    def _check_call(self, tree: Mapping[str, Any]) -> None:
        name = tree["value"]
        known = _Functions.FUNCTION_TABLE
        column = self.text.find(f"{name}(") + 1
        if name not in known:
            meant = suggest(name, known)
            hint = f"Did you mean `{meant}`?" if meant else f"There are {', '.join(sorted(known))}."
            raise malformed(self.text, f"there is no function `{name}()`", column, hint=hint)
        expected = known[name]["signature"]
        variadic = bool(expected) and expected[-1].get("variadic", False)
        given = len(tree["children"])
        if given < len(expected) or (given > len(expected) and not variadic):
            raise malformed(self.text, f"`{name}()` takes {len(expected)} argument(s), not {given}", column)


_STEPS: Final = frozenset(
    {"subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection"}
)
"""Whose first child is evaluated where the whole is, and the others on what came out of it."""


def _is_whole(tree: Mapping[str, Any]) -> bool:
    return tree["type"] in {"current", "identity"}


def _names(tree: Mapping[str, Any], name: str) -> bool:
    return bool(tree["type"] == "field" and tree["value"] == name)
