"""Texts encrypted with the keys of the deployment."""

from __future__ import annotations

import functools
import hashlib
import hmac
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from aispine.errors import InvalidRequest


def seal(text: str, keys: str | None) -> str:
    """Encrypts a text with the first of `keys` (separated by commas). Raises `InvalidRequest`."""
    return _fernet(keys).encrypt(text.encode()).decode()


def open_(sealed: str, keys: str | None, what: str = "a stored secret") -> str:
    """Decrypts a text. Raises `InvalidRequest` naming `what` when none of `keys` made it."""
    try:
        return _opened(sealed, keys)
    except InvalidToken:
        raise InvalidRequest(
            f"{what} cannot be decrypted",
            field="encryption_keys",
            hint="Add the key that encrypted it to AISPINE_ENCRYPTION_KEYS, or give the secret again.",
        ) from None


def reseal(sealed: str, keys: str | None) -> str | None:
    """The text sealed with the first of `keys`; None when it is already. Raises `InvalidToken` when none opens it."""
    first = (keys or "").partition(",")[0].strip()
    try:
        _fernet(first).decrypt(sealed.encode())
    except InvalidToken:
        return _fernet(keys).rotate(sealed.encode()).decode()
    return None


def fingerprints(text: str, keys: str | None) -> list[str]:
    """What stands for a text that must not be kept, by each of `keys`, the first one's first.

    Whoever knows the text and a key finds it again; nobody gets from it to the text. Raises `InvalidRequest`.
    """
    _fernet(keys)
    parts = [part.strip() for part in (keys or "").split(",") if part.strip()]
    return [hmac.new(part.encode(), text.encode(), hashlib.sha256).hexdigest() for part in parts]


@functools.lru_cache(maxsize=512)
def _opened(sealed: str, keys: str | None) -> str:
    return _fernet(keys).decrypt(sealed.encode()).decode()


@functools.lru_cache(maxsize=8)
def _fernet(keys: str | None) -> MultiFernet:
    parts = [part.strip() for part in (keys or "").split(",") if part.strip()]
    if not parts:
        raise InvalidRequest("AISPINE_ENCRYPTION_KEYS is not set", field="encryption_keys", hint=_HOW)
    try:
        return MultiFernet([Fernet(part) for part in parts])
    except ValueError:
        raise InvalidRequest("AISPINE_ENCRYPTION_KEYS is not valid", field="encryption_keys", hint=_HOW) from None


_HOW: Final = "Give one or more Fernet keys separated by commas: 32 random bytes each, in URL-safe base64."
