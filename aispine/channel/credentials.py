"""The secrets of a channel: one encrypted text per channel, opened only to be used."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aispine.secrets.sealing import open_ as unseal
from aispine.secrets.sealing import seal as seal_text


def seal(values: Mapping[str, str], keys: str | None) -> str:
    """Encrypts with the first of `keys` (separated by commas). Raises `InvalidRequest`."""
    return seal_text(json.dumps(dict(values)), keys)


def open_(sealed: str, keys: str | None) -> dict[str, str]:
    """Decrypts. Raises `InvalidRequest` when none of `keys` made it."""
    opened: dict[str, str] = json.loads(unseal(sealed, keys, "the secret of a channel"))
    return opened
