"""API keys of http agents: encrypted where they are kept, opened only to be sent."""

from __future__ import annotations

import functools

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from aispine.errors import InvalidRequest

MAX_LENGTH = 4096


def seal(api_key: str, keys: str | None) -> str:
    """Encrypts a key with the first of `keys` (separated by commas). Raises `InvalidRequest`."""
    if not api_key or len(api_key) > MAX_LENGTH or not all(33 <= ord(character) <= 126 for character in api_key):
        raise InvalidRequest("`api_key` must be printable ASCII without spaces, up to 4096 characters", field="api_key")
    return _fernet(keys).encrypt(api_key.encode()).decode()


def open_(credential: str, keys: str | None) -> str:
    """Decrypts a credential. Raises `InvalidRequest` when none of `keys` made it."""
    try:
        return _opened(credential, keys)
    except InvalidToken:
        raise InvalidRequest(
            "the stored API key of the agent cannot be decrypted",
            field="encryption_keys",
            hint="Add the key that encrypted it to AISPINE_ENCRYPTION_KEYS, or register the agent's key again.",
        ) from None


@functools.lru_cache(maxsize=512)
def _opened(credential: str, keys: str | None) -> str:
    return _fernet(keys).decrypt(credential.encode()).decode()


@functools.lru_cache(maxsize=8)
def _fernet(keys: str | None) -> MultiFernet:
    parts = [part.strip() for part in (keys or "").split(",") if part.strip()]
    if not parts:
        raise InvalidRequest("AISPINE_ENCRYPTION_KEYS is not set", field="encryption_keys", hint=_HOW)
    try:
        return MultiFernet([Fernet(part) for part in parts])
    except ValueError:
        raise InvalidRequest("AISPINE_ENCRYPTION_KEYS is not valid", field="encryption_keys", hint=_HOW) from None


_HOW = "Give one or more Fernet keys separated by commas: 32 random bytes each, in URL-safe base64."
