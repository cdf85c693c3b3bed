"""Group commit: what several threads want of one execution while it is busy is done for all of them at once.

An execution changes under the lock of its row, which is held until the disk has the change. One thread after the other
would wait for that as often as there are threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST: Final = 64
"""How many are done together at most: the last of them should not wait for long."""


@dataclass(kw_only=True, slots=True)
class _Place(Generic[Item, Result]):
    """Somebody's place in a line, and what came of it."""

    item: Item
    result: Result | None = None
    error: BaseException | None = None
    done: bool = False


@dataclass(kw_only=True, slots=True)
class _Line(Generic[Item, Result]):
    """Those who want something of one execution; whoever has the turn does it for the others too."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    waiting: deque[_Place[Item, Result]] = field(default_factory=deque)
    people: int = 0


class GroupCommit(Generic[Item, Result]):
    """One line for each execution; a thread that comes alone is served at once."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line[Item, Result]] = {}
        self._lock = threading.Lock()

    def ask(self, execution_id: str, item: Item, serve: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """Has `serve` do what is wanted, perhaps by another thread and with the items of others.

        `serve` answers with one result for each item; what it raises is raised to all whose items it had.
        """
        place = _Place[Item, Result](item=item)
        line = self._join(execution_id, place)
        try:
            with line.turn:
                while not place.done:
                    self._serve(line, serve)
        finally:
            self._leave(execution_id, line)
        if place.error is not None:
            raise place.error
        return place.result  # type: ignore[return-value]  # It is done, and so has one.

    def _join(self, execution_id: str, place: _Place[Item, Result]) -> _Line[Item, Result]:
        with self._lock:
            line = self._lines.setdefault(execution_id, _Line())
            line.people += 1
            line.waiting.append(place)
            return line

    def _leave(self, execution_id: str, line: _Line[Item, Result]) -> None:
        with self._lock:
            line.people -= 1
            if not line.people:
                del self._lines[execution_id]

    def _serve(self, line: _Line[Item, Result], serve: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        with self._lock:
            places = [line.waiting.popleft() for _ in range(min(MOST, len(line.waiting)))]
        try:
            for place, result in zip(places, serve([place.item for place in places]), strict=True):
                place.result = result
        except BaseException as error:  # noqa: BLE001 - raised again to each
            for place in places:
                place.error = error
        finally:
            for place in places:
                place.done = True
