"""Each tenant's own lists of hosts, over what the deployment lets be called: they hold for every call made inside.

    with fence.around(store, tenant_id, login=None):
        ...                                 # whatever is called in here, and however deep, keeps to the tenant's lists

Nothing is read before a call is made, and what was read is kept for some seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine.errors import InvalidRequest
from aispine.guards import rules
from aispine.guards.rules import Restriction
from aispine.store import host_lists
from aispine.store.database import Store

KEPT: Final = 5.0
"""Seconds after which a change holds in every process."""
MOST: Final = 200
_found: dict[tuple[str, str], tuple[float, Restriction]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Lists:
    """The lists as they were given: with something in `allow` nothing else may be called, and `deny` wins."""

    allow: Sequence[str] = ()
    deny: Sequence[str] = ()


def around(store: Store, tenant_id: str, *, login: str | None = None) -> AbstractContextManager[None]:
    """Holds the calls of a tenant to its lists; `login` is the tenant where the store sees one tenant only."""
    return rules.restricting(lambda: _restriction(store, tenant_id, login))


def show(session: Session, tenant_id: str) -> Lists:
    """The lists of a tenant."""
    row = host_lists.find(session, tenant_id)
    return Lists() if row is None else Lists(allow=tuple(row.allow), deny=tuple(row.deny))


def put(session: Session, tenant_id: str, values: Mapping[str, Sequence[str]]) -> Lists:
    """Sets the lists that are named; the other stays. Raises `InvalidRequest` for an entry that is no host."""
    before = show(session, tenant_id)
    lists = Lists(allow=_read(values, "allow", before.allow), deny=_read(values, "deny", before.deny))
    host_lists.put(session, tenant_id, lists.allow, lists.deny)
    return lists


def _read(values: Mapping[str, Any], name: str, before: Sequence[str]) -> Sequence[str]:
    entries = values.get(name)
    if entries is None:
        return before
    if len(entries) > MOST:
        raise InvalidRequest(f"`{name}` has {len(entries)} entries; the limit is {MOST}", field=name)
    if rules.PUBLIC in entries:
        raise InvalidRequest(
            f"`{name}` cannot name `public`", field=name, hint="Nothing in `allow` lets all be called that is public."
        )
    rules.hosts(entries, name)
    return tuple(dict.fromkeys(entry.strip().lower() for entry in entries))


def _restriction(store: Store, tenant_id: str, login: str | None) -> Restriction:
    key = (store.database, tenant_id)
    until, found = _found.get(key, (0.0, Restriction()))
    if until < time.monotonic():
        with store.session(login) as session:
            lists = show(session, tenant_id)
        found = Restriction(only=rules.hosts(lists.allow, "allow"), denied=rules.hosts(lists.deny, "deny"))
        _found[key] = (time.monotonic() + KEPT, found)
    return found
