"""Who asks: a key becomes the principal on whose behalf everything else happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aispine.errors import Forbidden, Unauthenticated
from aispine.store import api_keys
from aispine.store.api_keys import GOVERN, SENSITIVE
from aispine.store.database import Store

__all__ = ["GOVERN", "SENSITIVE", "Principal", "authenticate", "bearer"]

SCHEME: Final = "Bearer"
_HINT: Final = "Send the header `Authorization: Bearer <key>`."
_LONGEST_KEY: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The bearer of a key; `name` is the key's name."""

    tenant_id: str
    api_key_id: str
    name: str
    permissions: frozenset[str] = frozenset()

    def require(self, permission: str) -> None:
        """Raises `Forbidden` unless the key has the permission."""
        if permission not in self.permissions:
            raise Forbidden(
                f"This key does not have the permission `{permission}`", hint="The first key of a stack has it."
            )


def authenticate(store: Store, key: str) -> Principal:
    """Finds who has a key. Raises `Unauthenticated` when it is unknown or revoked."""
    row = api_keys.known(store, key)
    if row is None:
        raise Unauthenticated("The API key is not known or was revoked", hint="Check the key, or make a new one.")
    return Principal(
        tenant_id=row.tenant_id,
        api_key_id=row.api_key_id,
        name=row.name,
        permissions=frozenset(row.permissions),
    )


def bearer(header: str | None) -> str:
    """The key inside an `Authorization` header. Raises `Unauthenticated`."""
    if not header:
        raise Unauthenticated("The API key is missing", hint=_HINT)
    scheme, _, key = header.strip().partition(" ")
    key = key.strip()
    if scheme.lower() != SCHEME.lower():
        raise Unauthenticated("The `Authorization` header must use the scheme Bearer", hint=_HINT)
    if not key or len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Unauthenticated("The API key in the `Authorization` header is malformed", hint=_HINT)
    return key
