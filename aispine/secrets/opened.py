"""Secrets in the clear, for as long as one call lasts, and what keeps them out of everything that is stored."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from aispine.logs import REDACTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The secrets of one call by name."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def hide(self, value: Any) -> Any:
        """The JSON value, or text, without the secrets, also where they are written for a URL or in base64."""
        return _hidden(value, _forms(tuple(self.values.values()))) if self.values else value


NONE: Final = Opened()


@functools.lru_cache(maxsize=256)
def _forms(values: tuple[str, ...]) -> tuple[str, ...]:
    """All ways in which the secrets may be written, the longest first: one may be a part of another."""
    forms = {form for value in values for form in (value, quote(value, safe=""), _base64(value))}
    return tuple(sorted(forms, key=len, reverse=True))


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _hidden(value: Any, forms: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return functools.reduce(lambda text, form: text.replace(form, REDACTED), forms, value)
    if isinstance(value, Mapping):
        return {_hidden(key, forms): _hidden(each, forms) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(each, forms) for each in value]
    return value
