"""The keys of a tool's registration: checked one by one, and every problem told at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aispine.errors import InvalidTool
from aispine.flow.inputs import schema_problem
from aispine.tool.authorization import auth_problem
from aispine.tool.definition import CONTRACTS, METHODS
from aispine.tool.endpoint import placeholders

MAX_TIMEOUT: Final = 3600.0
Problem = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key: what is wrong with a value of it, and what it is for."""

    problem: Callable[[Any], str | None]
    doc: str
    required: bool = False


def check(values: Mapping[str, Any]) -> None:
    """Raises `InvalidTool` with every problem of a registration."""
    problems = [_unknown(name) for name in values if name not in KEYS]
    for name, key in KEYS.items():
        problem = _problem(key, values.get(name))
        if problem is not None:
            problems.append({"field": name, "message": f"`{name}` {problem}"})
    if not problems and (odd := _placeholder_problem(values)) is not None:
        problems.append({"field": "endpoint", "message": f"`endpoint` {odd}"})
    if problems:
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        first = problems[0]
        raise InvalidTool(f"{first['message']}{rest}", hint=first.get("hint"), field=first["field"], errors=problems)


def _problem(key: Key, value: Any) -> str | None:
    if value is None:
        return "is required" if key.required else None
    return key.problem(value)


def _unknown(name: str) -> Problem:
    close = difflib.get_close_matches(name, KEYS, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Known keys: {', '.join(KEYS)}."
    return {"field": name, "message": f"`{name}` is not a known key", "hint": hint}


_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS: Final = frozenset({"authorization", "content-length", "host", "connection", "transfer-encoding", "cookie"})


def _identifier(value: Any) -> str | None:
    fits = isinstance(value, str) and _ID.fullmatch(value)
    return None if fits else "must be up to 64 letters, digits, `_` and `-`, not starting with a digit"


def _text(value: Any) -> str | None:
    fits = isinstance(value, str) and value.strip() and len(value) <= 4000 and "\0" not in value
    return None if fits else "must be a text of 1 to 4000 characters"


def _one_of(known: tuple[str, ...]) -> Callable[[Any], str | None]:
    return lambda value: None if value in known else f"must be one of {', '.join(known)}; it is {value!r}"


def _endpoint(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > 2000 or any(ord(character) <= 32 for character in value):
        return "must be a URL such as https://api.example.com/orders/{order_id}"
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return f"must be an http or https URL; it is {value!r}"
    if not valid:
        return f"must be an http or https URL; it is {value!r}"
    if "@" in parts.netloc or "{" in parts.netloc:
        return "must name its host plainly: no user, no password and no `{name}` there"
    return "has braces that hold no name" if placeholders(value) is None else None


def _placeholder_problem(values: Mapping[str, Any]) -> str | None:
    """A name in the path that the input cannot have would fail each call."""
    names = placeholders(values["endpoint"]) or ()
    if values.get("contract") == "execute":
        return "takes no `{name}` with the contract `execute`" if names else None
    known = (values.get("input_schema") or {}).get("properties")
    missing = [name for name in names if isinstance(known, Mapping) and name not in known]
    return f"has `{{{missing[0]}}}`, which the input_schema does not have" if missing else None


def _headers(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be an object of texts"
    for name, content in value.items():
        if not isinstance(name, str) or not _HEADER.fullmatch(name) or name.lower() in _OURS:
            return f"must not have {name!r}; who calls is said by `auth_config`"
        if not isinstance(content, str) or not content.isprintable() or not content.isascii() or len(content) > 1000:
            return f"must have a printable ASCII text for {name!r}"
    return None


def _schema(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be a JSON Schema (an object)"
    problem = schema_problem(value)
    return None if problem is None else f"is not a JSON Schema that can be used: {problem}"


def _timeout(value: Any) -> str | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MAX_TIMEOUT
    return None if fits else f"must be a number of seconds above 0 and up to {MAX_TIMEOUT:.0f}; it is {value!r}"


KEYS: Final[Mapping[str, Key]] = {
    "tool_id": Key(problem=_identifier, doc="What flows and models call it by.", required=True),
    "endpoint": Key(
        problem=_endpoint,
        doc="The URL that is called; `{name}` in its path or query is a member of the input.",
        required=True,
    ),
    "name": Key(problem=_text, doc="A name for people; the id when left out."),
    "description": Key(problem=_text, doc="What it does; a model chooses by it."),
    "contract": Key(problem=_one_of(CONTRACTS), doc="`http`, or `execute` for tools of the older product."),
    "method": Key(problem=_one_of(METHODS), doc=f"{', '.join(METHODS)}; POST when left out."),
    "headers": Key(problem=_headers, doc="Headers that every call carries; nothing secret."),
    "input_schema": Key(problem=_schema, doc="JSON Schema that the input must fit."),
    "output_schema": Key(problem=_schema, doc="JSON Schema that the answer must fit."),
    "auth_config": Key(problem=auth_problem, doc="How calls say who calls: see below."),
    "timeout": Key(problem=_timeout, doc="Seconds that a call may take, when the node says nothing."),
}
