"""Bodies of requests: JSON as strict as the store needs it, and flow files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import request

from aispine.errors import InvalidRequest, TooLarge, UnsupportedMediaType

MAX_DEPTH: Final = 64
YAML_TYPES: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_LARGEST: Final = 10**300
"""Whole numbers beyond it fit no float, and so no comparison with one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowFile:
    """A flow file as it was sent; `name` is what problems call it."""

    source: bytes | str
    name: str


def read_object() -> dict[str, Any]:
    """The body as a JSON object. Raises `UnsupportedMediaType` and `InvalidRequest`."""
    if not _is_json():
        raise _wrong_type("application/json")
    return _object(request.get_data())


def read_optional_object() -> dict[str, Any]:
    """As `read_object`; no body at all is an empty object."""
    return read_object() if request.get_data() else {}


def read_optional_value() -> Any:
    """The body as any JSON value; no body at all is null. Raises `UnsupportedMediaType` and `InvalidRequest`."""
    data = request.get_data()
    if not data:
        return None
    if not _is_json():
        raise _wrong_type("application/json")
    return parse(data)


def read_flow_file() -> FlowFile:
    """The flow file in the body: YAML, or JSON that is the flow or has it as text under `source`."""
    if request.mimetype in YAML_TYPES:
        return FlowFile(source=request.get_data(), name=request.args.get("file", "flow.yaml")[:255])
    if not _is_json():
        raise _wrong_type("application/yaml or application/json")
    fields = _object(request.get_data())
    if "source" not in fields:
        return FlowFile(source=request.get_data(), name="flow.json")
    unknown = sorted(fields.keys() - {"source", "file"})
    if unknown:
        raise InvalidRequest(f"There is no field `{unknown[0][:100]}`", field=unknown[0][:100])
    return FlowFile(source=_text(fields, "source", ""), name=_text(fields, "file", "flow.yaml")[:255])


def check_size(value: Any, limit: int, field: str) -> None:
    """Raises `TooLarge` when the value takes more than `limit` bytes as JSON."""
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
    if size > limit:
        raise TooLarge(f"`{field}` has {size:,} bytes as JSON; the limit is {limit:,}", field=field)


def _is_json() -> bool:
    return request.mimetype == "application/json" or request.mimetype.endswith("+json")


def _wrong_type(wanted: str) -> UnsupportedMediaType:
    given = request.mimetype[:100]
    said = f"The content type `{given}` is not supported here" if given else "The content type is missing"
    return UnsupportedMediaType(said, field="Content-Type", hint=f"Send `Content-Type: {wanted}`.")


def _text(fields: dict[str, Any], name: str, default: str) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InvalidRequest(f"`{name}` must be a string", field=name)
    return value


def _object(data: bytes) -> dict[str, Any]:
    value = parse(data)
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object")
    return value


def parse(data: bytes) -> Any:
    """Reads JSON: UTF-8, finite numbers, text without NUL and lone surrogates, at most `MAX_DEPTH` deep.

    Raises `InvalidRequest`.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8 text: byte {error.start} is wrong") from error
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        message = f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise InvalidRequest(message) from error
    except ValueError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}") from error
    _check(value)
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _check(root: Any) -> None:
    """Looks at every value without recursion, level by level."""
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        for value in level:
            _check_scalar(value)
        level = [member for value in level for member in _members(value)]


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidRequest("A NUL character is in the body", hint="Send binary data as base64.")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidRequest("A text in the body is not valid Unicode: half of a surrogate pair")
    elif isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        raise InvalidRequest("A number in the body is too large")


def _too_deep() -> InvalidRequest:
    return InvalidRequest(f"The body is nested deeper than {MAX_DEPTH} levels")
