"""Values that come in on the command line: JSON, files of JSON or YAML, and `key=value` pairs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aispine.errors import InvalidRequest


def json_input(value: str, *, flag: str = "--input") -> Any:
    """The JSON that `value` is, or that stands in the file `@path`, or on stdin for `-`; a file may be YAML too.

    Raises `InvalidRequest` naming the flag.
    """
    text, source = _text(value, flag)
    if value.startswith("@") and source.endswith((".yaml", ".yml")):
        return _yaml(text, source, flag)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"{flag}: {source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            field="input",
            hint='Give JSON such as \'{"name": "Ada"}\', a file as @input.json or @input.yaml, or - for stdin.',
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{flag}: {source} is not JSON that a flow takes: {error}", field="input") from error


def _yaml(text: str, source: str, flag: str) -> Any:
    """The value of a YAML file, read as flow files are: no types beyond those of JSON, nothing expanded without end."""
    from aispine.flow import reader

    read = reader.read(text, source)
    if read.problems:
        raise InvalidRequest(f"{flag}: {read.problems[0]}", field="input")
    return None if read.root is None else read.root.value


def object_input(value: str, *, flag: str = "--input") -> dict[str, Any]:
    """As `json_input`, and an object."""
    parsed = json_input(value, flag=flag)
    if not isinstance(parsed, dict):
        raise InvalidRequest(f"{flag} must be a JSON object, not {_kind(parsed)}", field="input")
    return parsed


def pairs(values: Iterable[str], *, flag: str = "--label") -> dict[str, str]:
    """`key=value` texts as a mapping. Raises `InvalidRequest` naming the flag."""
    found: dict[str, str] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise InvalidRequest(f"{flag} `{text}` is not of the form key=value", field=flag.lstrip("-"))
        found[key] = value
    return found


def read_text(file: Path) -> str:
    """The text of a file. Raises `InvalidRequest` naming it."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{file} is not UTF-8 text") from error


def _text(value: str, flag: str) -> tuple[str, str]:
    if value == "-":
        return _stdin(flag), "stdin"
    if not value.startswith("@"):
        return value, "the value"
    try:
        return read_text(Path(value[1:])), value[1:]
    except InvalidRequest as error:
        raise InvalidRequest(f"{flag}: {error.message}", field="input") from error


def _stdin(flag: str) -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{flag}: stdin is not UTF-8 text", field="input") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _kind(value: Any) -> str:
    return {type(None): "null", bool: "a boolean", str: "a string", list: "a list"}.get(type(value), "a number")
