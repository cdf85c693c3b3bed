"""The values of plain YAML texts, by the core schema of YAML 1.2: no dates, no `yes`, no octal surprises."""

from __future__ import annotations

import math
import re
from typing import Final

TAG: Final = "tag:yaml.org,2002:"
MAX_INTEGER: Final = 2**63 - 1

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")

Scalar = str | int | float | bool | None


class NotAScalar(ValueError):
    """The text is not a value of a flow file; the message says why."""


def resolve(text: str, tag: str | None, *, plain: bool) -> Scalar:
    """The value of a scalar; `tag` is the explicit one without YAML's prefix, None when there is none."""
    if _UNSTORABLE.search(text):
        raise NotAScalar("the text holds a character that cannot be stored")
    if tag in {"str", "!"} or (tag is None and not plain):
        return text
    value = _plain(text)
    if tag is not None and not _fits(value, tag):
        raise NotAScalar(f"`{text[:40]}` is not of the type `!!{tag}`")
    return float(value) if tag == "float" and isinstance(value, int) else value


def _fits(value: Scalar, tag: str) -> bool:
    if tag == "null":
        return value is None
    if tag == "bool":
        return isinstance(value, bool)
    kinds = {"int": int, "float": (int, float)}
    return tag in kinds and isinstance(value, kinds[tag]) and not isinstance(value, bool)  # type: ignore[arg-type] # The values are what isinstance takes.


def _plain(text: str) -> Scalar:
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        raise NotAScalar(f"`{text}` is not a number that JSON knows; write it in quotes if it is a text")
    return text


def _integer(text: str) -> int:
    if len(text) > 30:  # Longer than any 64-bit number, so that int() need not look at it.
        raise NotAScalar("the number is too large; write it in quotes if it is a text")
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    value = int(text[2:] if base != 10 else text, base)
    if abs(value) > MAX_INTEGER:
        raise NotAScalar("the number is too large; write it in quotes if it is a text")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotAScalar("the number is too large; write it in quotes if it is a text")
    return value
