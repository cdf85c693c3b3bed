"""API keys of http agents: encrypted where they are kept, opened only to be sent."""

from __future__ import annotations

from aispine.errors import InvalidRequest
from aispine.secrets import sealing

MAX_LENGTH = 4096


def seal(api_key: str, keys: str | None) -> str:
    """Encrypts a key with the first of `keys` (separated by commas). Raises `InvalidRequest`."""
    if not api_key or len(api_key) > MAX_LENGTH or not all(33 <= ord(character) <= 126 for character in api_key):
        raise InvalidRequest("`api_key` must be printable ASCII without spaces, up to 4096 characters", field="api_key")
    return sealing.seal(api_key, keys)


def open_(credential: str, keys: str | None) -> str:
    """Decrypts a credential. Raises `InvalidRequest` when none of `keys` made it."""
    return sealing.open_(credential, keys, "the stored API key of the agent")
