"""Pages of lists, and cursors of those whose order is a text."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from aispine.errors import InvalidRequest


def encode(last: str) -> str:
    """A cursor that stands after the row named `last`."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def decode(cursor: str | None) -> str | None:
    """The name that a cursor stands after. Raises `InvalidRequest` when it is none of ours."""
    if cursor is None:
        return None
    try:
        name = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise _not_ours() from error
    if "\0" in name:
        raise _not_ours()
    return name


def _not_ours() -> InvalidRequest:
    return InvalidRequest("`cursor` is not one that this API gave", field="cursor")


def whole(rows: Sequence[Any]) -> dict[str, Any]:
    """A list that is short enough to have one page alone."""
    return {"data": rows, "next_cursor": None}


def page(rows: Sequence[Any], limit: int, name: str) -> dict[str, Any]:
    """A page of `rows`, of which one more than `limit` was read; `name` is the attribute that orders them."""
    shown = rows[:limit]
    cursor = encode(getattr(shown[-1], name)) if len(rows) > limit else None
    return {"data": shown, "next_cursor": cursor}
