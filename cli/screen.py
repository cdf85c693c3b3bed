"""Live progress of an execution: a table that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli import output, text, waiting
from cli.nesting import Line
from cli.node_progress import NodeProgress, advanced, error_text
from cli.progress import Progress

_FRAME: Final = 8
"""Lines of the screen that are not nodes: the title, the counts, and room for the prompt."""
_ADVICE: Final = 3
"""How many commands for waiting nodes are shown at once."""
_SIGN, _GAP = 3, 2
"""The width of a node's sign, and the room between two columns."""
_WIDEST: Final = 40
"""Paths up to this long make room for themselves on the lines that follow."""
_REFRESHES: Final = 8
"""Drawings a second: calm to look at, and quick enough for a spinner."""


class Screen(Protocol):
    """Shows a `Progress` while its events come in."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, event: Mapping[str, Any]) -> None:
        """Shows what an event brought, after the progress has taken it."""


def screen(console: Console, progress: Progress) -> Screen:
    """The screen that fits the console."""
    return LiveScreen(console, progress) if console.is_terminal else LineScreen(console, progress)


class LineScreen:
    """One line per event."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._width = max([len(path) for path in progress.nodes] + [len("execution")])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._console.file.flush()

    def show(self, event: Mapping[str, Any]) -> None:
        self._console.print(Text(self._line(event)), soft_wrap=True)
        node = self._progress.nodes.get(event.get("path") or "")
        if node is not None and node.waits and str(event["type"]) == "node.waiting":
            advice = waiting.advice(self._progress.execution_id, node.path, node.waits)
            self._console.print(Text(advice or ""), soft_wrap=True, end="\n" if advice else "")

    def _line(self, event: Mapping[str, Any]) -> str:
        noun, _, verb = str(event["type"]).partition(".")
        path = event.get("path") or noun
        self._width = max(self._width, min(len(path), _WIDEST))
        what = "  ".join(self._details(noun, verb, event))
        return f"{text.clock(event['created_at'])}  {path:<{self._width}}  {verb.replace('_', ' '):<9}  {what}".rstrip()

    def _details(self, noun: str, verb: str, event: Mapping[str, Any]) -> Iterator[str]:
        data = event.get("data") or {}
        if noun == "execution":
            yield from self._execution_details(verb, data)
        elif noun == "node":
            yield from self._node_details(verb, event)
        else:
            yield from _outside_details(data)

    def _node_details(self, verb: str, event: Mapping[str, Any]) -> Iterator[str]:
        if verb == "tokens":
            yield text.one_line((event.get("data") or {}).get("text", ""))
            return
        node = self._progress.nodes.get(event["path"]) or advanced(NodeProgress(path=event["path"]), verb, event)
        if verb == "started" and node.attempts > 1:
            yield f"attempt {node.attempts}"
        if node.finished_at and node.started_at:
            yield text.duration(text.between(node.started_at, node.finished_at)) or ""
        if node.note:
            yield node.note

    def _execution_details(self, verb: str, data: Mapping[str, Any]) -> Iterator[str]:
        if verb == "started":
            yield f"{self._progress.title} {self._progress.execution_id}"
        if self._progress.ended:
            yield text.duration(self._progress.seconds(datetime.now(UTC))) or ""
        if data.get("error") and not any(node.status == "failed" for node in self._progress.nodes.values()):
            yield text.one_line(error_text(data["error"]))
        if data.get("by"):
            yield text.one_line(f"by {data['by']}")


def _outside_details(data: Mapping[str, Any]) -> Iterator[str]:
    """What came from outside: a signal, or the answer to an approval."""
    if data.get("name"):
        yield text.one_line(data["name"])
    if data.get("by") and "approved" not in data:
        yield text.one_line(f"by {data['by']}")
    if data.get("kept"):
        yield "nobody waits for it yet; it is kept"
    if "approved" in data:
        yield f"{'approved' if data['approved'] else 'rejected'} by {text.one_line(data.get('by') or '')}"


def _widest(rows: Sequence[tuple[Any, ...]], column: int) -> int:
    return max((row[column].cell_len for row in rows), default=0)


class LiveScreen:
    """A table of the nodes that redraws itself."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=_REFRESHES,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, event: Mapping[str, Any]) -> None:  # noqa: ARG002 - the next drawing shows the progress itself.
        return

    def _draw(self) -> Group:
        now = datetime.now(UTC)
        lines = self._progress.shown(max(4, self._console.height - _FRAME))
        body: list[Any] = [self._title(now), self._nodes(lines, now)]
        if len(lines) < len(self._progress.nodes):
            body.append(self._counts())
        body.extend(Text(advice) for advice in islice(self._progress.advice(), _ADVICE))
        return Group(*body)

    def _title(self, now: datetime) -> Text:
        status = self._progress.shown_status
        style = output.STYLES.get(status, "")
        return Text.assemble(
            (f"{output.glyph(status)} ", style),
            (self._progress.title, "bold"),
            ("  ", ""),
            (status.replace("_", " "), style),
            (f"  {text.duration(self._progress.seconds(now)) or ''}  {self._progress.execution_id}", "dim"),
        )

    def _nodes(self, lines: list[Line], now: datetime) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=_SIGN, justify="right")
        grid.add_column(overflow="ellipsis", no_wrap=True)
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(no_wrap=True, style="dim")
        rows = [self._row(line, now) for line in lines]
        room = self._console.width - sum(_widest(rows, column) + _GAP for column in range(1, 5)) - _SIGN - _GAP
        for *row, extra in rows:
            extra.truncate(max(room, 0), overflow="ellipsis")
            grid.add_row(*row, extra)
        return grid

    def _row(self, line: Line, now: datetime) -> tuple[Any, ...]:
        node = line.node
        style = output.STYLES.get(node.status, "")
        sign = self._spinner if node.status == "running" else Text(output.glyph(node.status), style=style)
        name = Text("  " * line.depth + line.name, style="dim" if style == "dim" else "")
        tries = f"attempt {node.attempts}" if node.attempts > 1 else ""
        extra = "  ".join(filter(None, (tries, line.summary, node.note)))
        took = text.duration(node.seconds(now)) or ""
        return sign, name, Text(node.type), Text(node.status, style=style), Text(took), Text(extra)

    def _counts(self) -> Text:
        return Text("    " + "  ".join(f"{count} {status}" for status, count in self._progress.counts()), style="dim")
