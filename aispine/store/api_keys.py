"""Keys of tenants: random, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import PLATFORM, ApiKey, Tenant
from aispine.store.plans import UNLIMITED

SENSITIVE: Final = "sensitive:read"
GOVERN: Final = "agents:govern"
PERMISSIONS: Final = (SENSITIVE, GOVERN)
"""All that there are; the first key of a stack has them."""


def bootstrap(session: Session, tenant_id: str, key: str) -> bool:
    """Makes the platform's and the first tenant, and the key where it has none; tells whether the key is valid."""
    for name in (PLATFORM, tenant_id):
        session.execute(insert(Tenant).values(tenant_id=name, name=name, plan_id=UNLIMITED).on_conflict_do_nothing())
    session.execute(select(Tenant).where(Tenant.tenant_id == tenant_id).with_for_update())
    if session.scalar(select(ApiKey.api_key_id).where(ApiKey.tenant_id == tenant_id).limit(1)):
        known = find(session, key)
        return known is not None and known.tenant_id == tenant_id
    _add(session, tenant_id, "first", key, PERMISSIONS)
    return True


def new_key() -> str:
    return f"sk_{secrets.token_urlsafe(32)}"


def create(session: Session, tenant_id: str, *, name: str, permissions: Collection[str] = ()) -> str:
    """Makes a key and returns it; it cannot be read again."""
    key = new_key()
    _add(session, tenant_id, name, key, permissions)
    return key


def _add(session: Session, tenant_id: str, name: str, key: str, permissions: Collection[str]) -> None:
    shown = {"name": name, "prefix": key[:8], "permissions": list(permissions)}
    session.add(ApiKey(api_key_id=new_id(), tenant_id=tenant_id, key_hash=hash_key(key), **shown))
    session.flush()


class Known(NamedTuple):
    """What there is to know of a valid key."""

    api_key_id: str
    tenant_id: str
    name: str
    permissions: list[str]


def known(store: Store, key: str) -> Known | None:
    """As `find`, in one round trip: it is asked with every request."""
    key_hash = hash_key(key)
    with store.autocommit() as link:
        rows = link.execute(_KNOWN, (key_hash, key_hash))
    return Known(*rows[0]) if rows else None


_KNOWN: Final = (
    "SELECT set_config('aispine.key_hash', %s, true); "
    "SELECT api_key_id::text, tenant_id, name, permissions FROM api_keys WHERE key_hash = %s AND revoked_at IS NULL"
)


def find(session: Session, key: str) -> ApiKey | None:
    """The key's row, when it is known and not revoked; works before a tenant is set."""
    key_hash = hash_key(key)
    session.execute(text("SELECT set_config('aispine.key_hash', :key_hash, true)"), {"key_hash": key_hash})
    return session.scalar(select(ApiKey).where(ApiKey.key_hash == key_hash, ApiKey.revoked_at.is_(None)))


def hash_key(key: str) -> str:
    """SHA-256 is enough: a key has 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(key.encode()).hexdigest()
