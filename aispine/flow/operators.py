"""What conditions may do to values: the functions and operators, each bounded and each over JSON only."""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from aispine.errors import ExpressionError

MAX_TEXT: Final = 100_000
MAX_BITS: Final = 1_024


def _contains(container: Any, item: Any) -> bool:
    if container is None:
        return False
    if isinstance(container, str | Mapping):
        return isinstance(item, str) and item in container
    if isinstance(container, list | tuple):
        return item in container
    raise ExpressionError(f"nothing can be in {kind(container)}")


def _text(function: Callable[[str], str], value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ExpressionError(f"{kind(value)} is not a text")
    return function(value)


def _length(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise ExpressionError(f"{kind(value)} has no length")


def _starts_with(value: Any, prefix: Any) -> bool:
    return isinstance(value, str) and isinstance(prefix, str) and value.startswith(prefix)


def _ends_with(value: Any, suffix: Any) -> bool:
    return isinstance(value, str) and isinstance(suffix, str) and value.endswith(suffix)


FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., Any]]]] = {
    "len": (1, _length),
    "lower": (1, functools.partial(_text, str.lower)),
    "upper": (1, functools.partial(_text, str.upper)),
    "contains": (2, _contains),
    "starts_with": (2, _starts_with),
    "ends_with": (2, _ends_with),
}
"""What a condition may call, with the number of arguments."""


def kind(value: Any) -> str:
    """How a value is called in a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {int: "a number", float: "a number", str: "a text", list: "a list", tuple: "a list"}
    return names.get(type(value), "an object")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return compare(left, right)
        raise ExpressionError(f"{kind(left)} cannot be compared with {kind(right)}")

    return ordered


def _arithmetic(calculate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def calculated(left: Any, right: Any) -> Any:
        if not (_is_number(left) and _is_number(right)):
            raise ExpressionError(f"{kind(left)} and {kind(right)} are not two numbers")
        return bounded(calculate(bounded(left), bounded(right)))

    return calculated


def bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ExpressionError("the number is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError("the number is not finite")
    return value


_add_numbers: Final = _arithmetic(operator.add)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT:
            raise ExpressionError(f"the text is longer than {MAX_TEXT} characters")
        return left + right
    return _add_numbers(left, right)


OPERATORS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: _add,
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv),
    ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod),
    ast.USub: lambda value: _arithmetic(operator.sub)(0, value),
    ast.UAdd: lambda value: _arithmetic(operator.add)(0, value),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: _ordering(operator.lt),
    ast.LtE: _ordering(operator.le),
    ast.Gt: _ordering(operator.gt),
    ast.GtE: _ordering(operator.ge),
    ast.In: lambda item, container: _contains(container, item),
    ast.NotIn: lambda item, container: not _contains(container, item),
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
