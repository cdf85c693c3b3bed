"""The secrets of tenants: put, listed without what they hold, opened for a call, and sealed anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.fernet import InvalidToken
from sqlalchemy import Column
from sqlalchemy.orm import Session

from aispine.errors import ExpressionError, InvalidRequest, NotFound, Unprocessable
from aispine.flow import secret
from aispine.secrets import sealing
from aispine.secrets.opened import NONE, Opened
from aispine.settings import Settings
from aispine.store import sealed
from aispine.store import secrets as table
from aispine.store.database import Store
from aispine.store.models import SecretRow

SHORTEST: Final = 6
"""A shorter value would be found by chance all over what agents say, and hidden there."""
LONGEST: Final = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotated:
    """How many texts were sealed anew, and what could not be opened, as `table.column`."""

    count: int
    unreadable: tuple[str, ...] = ()


def put(session: Session, tenant_id: str, name: str, value: str, settings: Settings) -> SecretRow:
    """Keeps a secret in place of what was there under its name. Raises `InvalidRequest` and `Unprocessable`."""
    if not re.fullmatch(secret.NAME, name):
        hint = "A name starts with a letter or `_` and goes on with letters, digits, `_` and `-`; at most 100."
        raise Unprocessable(f"`{name[:100]}` is not the name of a secret", field="name", hint=hint)
    if not SHORTEST <= len(value) <= LONGEST:
        message = f"`value` must have {SHORTEST} to {LONGEST:,} characters"
        raise Unprocessable(message, field="value", hint="A shorter one could not be hidden where it is written.")
    return table.put(session, tenant_id, name, sealing.seal(value, settings.encryption_keys))


def page(session: Session, tenant_id: str, *, after: str | None, limit: int) -> Sequence[SecretRow]:
    """The secrets by name."""
    return table.rows(session, tenant_id, after=after, limit=limit)


def delete(session: Session, tenant_id: str, name: str) -> None:
    """Deletes a secret; calls that need it fail from now on. Raises `NotFound`."""
    if not table.remove(session, tenant_id, name):
        raise NotFound(f"there is no secret `{name[:100]}`", field="name")


def open_for(store: Store, tenant_id: str, names: Collection[str], settings: Settings) -> Opened:
    """The secrets that a call needs; none costs nothing. Raises `ExpressionError` when one is not to be had."""
    if not names:
        return NONE
    with store.session(tenant_id) as session:
        found = table.named(session, tenant_id, names)
    if missing := sorted(set(names) - found.keys()):
        raise ExpressionError(f"there is no secret `{missing[0]}`", hint=f"aispine secret set {missing[0]}")
    try:
        return Opened(values={name: sealing.open_(text, settings.encryption_keys) for name, text in found.items()})
    except InvalidRequest as error:
        raise ExpressionError(f"a secret cannot be opened: {error.message}", hint=error.hint) from error


def rotate(store: Store, settings: Settings) -> Rotated:
    """Seals everything with the first of the encryption keys that another one sealed; safe to run again.

    Needs the engine's login. What none of the keys opens is left as it is and told.
    """
    done = [_rotate_column(store, column, settings) for column in sealed.columns()]
    unreadable = tuple(name for each in done for name in each.unreadable)
    return Rotated(count=sum(each.count for each in done), unreadable=unreadable)


def _rotate_column(store: Store, column: Column[Any], settings: Settings) -> Rotated:
    count, lost, place = 0, False, None

    def change(text: str) -> str | None:
        nonlocal lost
        try:
            return sealing.reseal(text, settings.encryption_keys)
        except InvalidToken:
            lost = True
            return None

    while True:
        with store.session(None) as session:
            changed, place = sealed.replace(session, column, place, change)
        count += changed
        if place is None:
            return Rotated(count=count, unreadable=(f"{column.table.name}.{column.name}",) if lost else ())
