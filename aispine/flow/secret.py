"""Secrets in flow files: named as `${secrets.NAME}`, known only to the call that needs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

NAME: Final = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
_REFERENCE: Final = re.compile(rf"(?<!\$)\$\{{\s*secrets\.({NAME})\s*\}}")
_MENTION: Final = re.compile(r"(?<!\$)\$\{\s*secrets\b")
_ESCAPED: Final = "$${"


def named(selection: str) -> str | None:
    """The name of the secret that the inside of a `${...}` is; None when it is no secret."""
    found = _REFERENCE.fullmatch(f"${{{selection}}}")
    return found[1] if found else None


def names(value: Any) -> frozenset[str]:
    """The secrets that the texts in a JSON value name."""
    if isinstance(value, str):
        return frozenset(_REFERENCE.findall(value))
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return frozenset(name for each in inside for name in names(each))


def malformed(text: str) -> bool:
    """True when a text names secrets in another way than `${secrets.NAME}`."""
    return len(_MENTION.findall(text)) != len(_REFERENCE.findall(text))


def fill(value: Any, secrets: Mapping[str, str]) -> Any:
    """The JSON value with the secrets in their places; only for what the author of a flow wrote, never for data."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: secrets[found[1]], value) if "secrets" in value else value
    if isinstance(value, Mapping):
        return {key: fill(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [fill(each, secrets) for each in value]
    return value


def unescaped(text: str) -> str:
    """A text of a template with `$${` for what it stands for."""
    return text.replace(_ESCAPED, "${")
