"""The routes of the application and who may call them, as values and as the table in the docs.

`python -m api.routes` prints the table.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask import Flask

from api.access import Access, declared

_ORDER: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_WHO: Final = {
    "key": "the bearer of a key",
    "metrics": "the bearer of `metrics_token`",
    "signature": "who signs the body",
    "token": "who has the URL",
    "public": "anybody",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One path with the methods that one view takes; `access` is None when the view forgot to declare it."""

    path: str
    methods: tuple[str, ...]
    endpoint: str
    access: Access | None
    summary: str

    @property
    def openapi_path(self) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.path)


def routes(app: Flask) -> Iterator[Route]:
    """Every route of the application, by path."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        view = app.view_functions[rule.endpoint]
        yield Route(
            path=rule.rule,
            methods=tuple(method for method in _ORDER if method in (rule.methods or ())),
            endpoint=rule.endpoint,
            access=declared(view),
            summary=(inspect.getdoc(view) or "").partition("\n")[0],
        )


def table(app: Flask) -> str:
    """The routes as a table in Markdown."""
    lines = ["| path | method | who | what |", "|---|---|---|---|"]
    for route in routes(app):
        who = _WHO[route.access] if route.access else "-"
        lines.append(f"| `{route.openapi_path}` | {', '.join(route.methods)} | {who} | {route.summary} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    from aispine.settings import Settings
    from api.app import create_app

    print(table(create_app(Settings())))  # noqa: T201


if __name__ == "__main__":
    main()
