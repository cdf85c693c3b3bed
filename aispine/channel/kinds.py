"""The kinds of channels; e-mail and voice are known by name and refuse."""

from __future__ import annotations

import functools
import importlib
from typing import Final

from aispine.channel.adapter import Adapter
from aispine.errors import InvalidRequest
from aispine.settings import Settings

_ADAPTERS: Final = {"whatsapp": "whatsapp:WhatsApp", "telegram": "telegram:Telegram"}
"""Imported at first use: a stack without channels does not load what speaks to them."""
NOT_YET: Final = ("email", "voice")
KINDS: Final = (*_ADAPTERS, *NOT_YET)


def adapter(kind: str) -> Adapter:
    """The adapter of a kind. Raises `InvalidRequest` for one that there is not, or not yet."""
    if kind in _ADAPTERS:
        return _load(kind)
    known = f"There are {' and '.join(_ADAPTERS)}."
    if kind in NOT_YET:
        raise InvalidRequest(f"channels of kind `{kind}` do not exist in this version", field="kind", hint=known)
    raise InvalidRequest(f"there is no kind of channel `{kind[:100]}`", field="kind", hint=known)


@functools.cache
def _load(kind: str) -> Adapter:
    module, name = _ADAPTERS[kind].split(":")
    made: Adapter = getattr(importlib.import_module(f"aispine.channel.{module}"), name)()
    return made


def base_url(kind: str, settings: Settings) -> str:
    """Where the service of a kind answers."""
    return {"whatsapp": settings.whatsapp_url, "telegram": settings.telegram_url}[kind].rstrip("/")
