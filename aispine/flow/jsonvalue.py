"""JSON values as the platform keeps them: finite numbers, text that can be stored, no deeper than a stack follows."""

from __future__ import annotations

import json
import re
from typing import Any, Final

MAX_DEPTH: Final = 100


def normal(value: Any) -> Any:
    """The value as JSON says it: tuples are lists, keys are texts. Raises `ValueError` saying what is not JSON."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except TypeError as error:
        raise ValueError(str(error)) from None
    except ValueError as error:
        raise ValueError(_REASONS.get(str(error).split(":")[0], str(error))) from None
    _check_depth(text)
    found = json.loads(text)
    if _SUSPECT.search(text):
        _check_texts(found)
    return found


_SUSPECT: Final = re.compile(r"\\u(?:0000|d[89a-f])")
"""How NUL and the halves of surrogate pairs are written; whole pairs and escaped backslashes look so too."""


def _check_texts(root: Any) -> None:
    """Looks for text that PostgreSQL does not take."""
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value)
        pending.extend(_children(value))
        if isinstance(value, str):
            _check_text(value)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("it has a NUL character; send binary data as base64")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it has half of a surrogate pair, which is no character") from None


_REASONS: Final = {
    "Out of range float values are not JSON compliant": "it has a number that is NaN or infinite",
    "Circular reference detected": "it contains itself",
}


def parse(text: bytes) -> Any:
    """Parses JSON text from outside. Raises `ValueError` saying what is wrong with it."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    return normal(value)


def _refuse(name: str) -> Any:
    raise ValueError(f"it has the number {name}, which JSON does not know")


def _check_depth(text: str) -> None:
    """Counts brackets first: a value with few of them cannot be deep, and most have few."""
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(json.loads(text)) > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")


def _depth(value: Any) -> int:
    depth = 0
    layer = [value]
    while layer:
        depth += 1
        layer = [child for item in layer for child in _children(item) if isinstance(child, dict | list)]
        if depth > MAX_DEPTH:
            break
    return depth


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
