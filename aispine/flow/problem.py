"""What is wrong with a flow file, and where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from aispine.flow.model import Position
from aispine.flow.references import shorten

MAX_MESSAGE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake. `line` and `column` are 1-based, None where the whole file is meant."""

    code: str
    message: str
    file: str
    line: int | None = None
    column: int | None = None
    node: str | None = None
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "node": self.node,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """Collects the problems of one file; `within` names the node that the next ones belong to."""

    file: str
    node: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def within(self, node: str | None) -> Report:
        return replace(self, node=node)

    def add(self, code: str, message: str, position: Position | None = None, *, hint: str | None = None) -> None:
        place = position or Position()
        self.problems.append(
            Problem(
                code=code,
                message=shorten(message, MAX_MESSAGE),
                file=self.file,
                line=place.line or None,
                column=place.column or None,
                node=self.node,
                hint=hint,
            )
        )

    def in_order(self) -> tuple[Problem, ...]:
        """The problems as a reader of the file meets them."""
        return tuple(sorted(self.problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
