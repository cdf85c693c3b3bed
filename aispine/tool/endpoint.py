"""Endpoints with `{name}` in them, and what of an input they take."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

_PLACE: Final = re.compile(r"\{([A-Za-z_]\w*)\}")


class Unfillable(ValueError):
    """The input has nothing that can stand in the URL."""


def placeholders(endpoint: str) -> tuple[str, ...] | None:
    """The names in braces; None when other braces are left."""
    left = _PLACE.sub("", endpoint)
    return None if "{" in left or "}" in left else tuple(_PLACE.findall(endpoint))


def fill(endpoint: str, value: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The URL with the members of `value` in place of their names, and the members that it did not take.

    Each stays one piece of the path or query, whatever it holds. Raises `Unfillable`.
    """
    names = set(_PLACE.findall(endpoint))
    url = _PLACE.sub(lambda found: _piece(found[1], value), endpoint)
    return url, {name: member for name, member in value.items() if name not in names}


def with_query(url: str, members: Mapping[str, Any]) -> str:
    """The URL with members as its query: lists several times, objects as JSON, null not at all."""
    pairs = list(_pairs(members))
    if not pairs:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"


def _piece(name: str, value: Mapping[str, Any]) -> str:
    member = value.get(name)
    if member is None or isinstance(member, Mapping | list):
        raise Unfillable(f"the endpoint needs a text or number as `{name}`")
    text = _scalar(member)
    if text in {"", ".", ".."}:
        raise Unfillable(f"`{name}` cannot be {text!r} in a path")
    return quote(text, safe="")


def _pairs(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, member in members.items():
        for each in member if isinstance(member, list) else [member]:
            if each is not None:
                yield name, _scalar(each)


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
