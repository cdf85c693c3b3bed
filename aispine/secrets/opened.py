"""Secrets in the clear, for as long as one call lasts, and what keeps them out of everything that is stored."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from aispine.flow.sensitive import replace
from aispine.logs import REDACTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The secrets of one call by name."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def hide(self, value: Any) -> Any:
        """The JSON value, or text, without the secrets, also where they are written for a URL or in base64."""
        return replace(value, _forms(tuple(self.values.values())), REDACTED) if self.values else value


NONE: Final = Opened()


@functools.lru_cache(maxsize=256)
def _forms(values: tuple[str, ...]) -> frozenset[str]:
    """All ways in which the secrets may be written."""
    return frozenset(form for value in values for form in (value, quote(value, safe=""), _base64(value)))


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
