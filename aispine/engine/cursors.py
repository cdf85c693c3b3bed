"""Cursors of lists that are ordered by a moment and, among equals, by names."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from aispine.errors import InvalidRequest
from aispine.store.ids import is_id


def encode(moment: datetime, execution_id: str, *names: str) -> str:
    """A cursor that stands after the row of these."""
    key = json.dumps([moment.isoformat(), execution_id, *names])
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode(cursor: str, names: int = 0) -> tuple[datetime, list[str]]:
    """What `encode` was given: the moment, then the execution's id and that many names.

    Raises `InvalidRequest` for a cursor that is none of ours.
    """
    try:
        moment, execution_id, *rest = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or not is_id(execution_id) or len(rest) != names or not all(map(_is_name, rest)):
            raise ValueError(cursor)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor") from error
    return at, [execution_id, *rest]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value
