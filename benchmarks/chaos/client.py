"""A client of the API that does not give up: what is not answered is asked again under the same key."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final

import requests

from aispine.errors import StackError

_PATIENCE: Final = 120.0
_AGAIN: Final = 0.3
_DOWN: Final = frozenset({502, 503})


class Client:
    """One kept connection; `answers` counts what was answered, `nothing` for a broken connection."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {api_key}"
        self.answers: Counter[str] = Counter()

    def post(self, path: str, *, key: str | None = None, **content: Any) -> requests.Response:
        """The first answer that is not about a part being away. Raises `StackError` when none comes."""
        headers = {"Idempotency-Key": key} if key else {}
        if "data" in content:
            headers["Content-Type"] = "application/yaml"
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            answer = self._try(path, headers, content)
            if answer is not None:
                return answer
            time.sleep(_AGAIN)
        raise StackError(f"POST {path} was not answered for {_PATIENCE:g} s")

    def text(self, path: str) -> str:
        """The body as text, empty when there is no good answer now."""
        try:
            answer = self._http.get(f"{self._url}{path}", timeout=10)
            return answer.text if answer.ok else ""
        except requests.RequestException:
            return ""

    def get(self, path: str) -> Any:
        """The body, or None when there is no good answer now."""
        try:
            answer = self._http.get(f"{self._url}{path}", timeout=10)
            return answer.json() if answer.ok else None
        except requests.RequestException:
            return None

    def _try(self, path: str, headers: dict[str, str], content: dict[str, Any]) -> requests.Response | None:
        try:
            answer = self._http.post(f"{self._url}{path}", headers=headers, timeout=30, **content)
        except requests.RequestException:
            self.answers["nothing"] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        return None if answer.status_code in _DOWN else answer
