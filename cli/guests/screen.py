"""The six guests on a screen: what is said, above where each execution is; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from aispine.flow import paths
from aispine.flow.status import NodeStatus
from cli import output, text
from cli.guests.cast import Guest
from cli.guests.play import Played
from cli.node_progress import NodeProgress
from cli.progress import Progress
from cli.standin import Told

STAGES: Final = ("consent", "pictures", "read", "judge", "review", "reservation")
"""The nodes of the flow that a column shows; the last column is its answer."""
_REFRESHES: Final = 8
_TIME, _NAME = 7, 7
_COLORS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_red", "white")
_CLERK: Final = "Desk"


class Screen:
    """What is known of the guests so far. Everything may be called from any thread."""

    def __init__(self, console: Console, guests: Sequence[Guest]) -> None:
        self._console = console
        self._guests = guests
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._over = False
        self._progress: dict[str, Progress] = {}
        self._played: dict[str, Played] = {}
        names = (*(guest.name for guest in guests), _CLERK)
        self._styles = dict(zip(names, _COLORS, strict=False))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Draws again and again on a terminal; afterwards nothing is shown any more."""
        self._began = time.monotonic()
        try:
            with self._drawing() if self._console.is_terminal else nullcontext():
                yield
        finally:
            with self._lock:
                self._over = True

    def _drawing(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_REFRESHES,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def hear(self, guest: Guest | None, told: Told) -> None:
        """Something was said: by or to a guest, or where there is none, the clerk at the desk."""
        name = _CLERK if guest is None else guest.name
        arrow = _arrow(by_person=told.by_person)
        said = Text(style="" if told.by_person else "italic") + _words(told)
        self._print(told.at, name, Text(arrow, style=self._styles[name]), said)

    def begin(self, guest: Guest, progress: Progress) -> None:
        with self._lock:
            self._progress[guest.user] = progress

    def apply(self, guest: Guest, event: Mapping[str, Any]) -> None:
        """An event of a guest's execution; a line of its own where there is no table."""
        with self._lock:
            progress = self._progress[guest.user]
            progress.apply(event)
            node = progress.nodes.get(event.get("path") or "")
        if not self._console.is_terminal and node is not None and _tells(node):
            what = f"{node.path} {node.status}"
            took = text.duration(text.between(node.started_at, node.finished_at))
            self._print(time.monotonic(), guest.name, Text("."), Text(f"{what}  {took}" if took else what))

    def end(self, played: Played) -> None:
        with self._lock:
            self._played[played.guest.user] = played

    def _print(self, at: float, name: str, sign: Text, said: Text) -> None:
        line = Table.grid(padding=(0, 1, 0, 0), expand=False)
        line.add_column(width=_TIME, justify="right", style="dim", no_wrap=True)
        line.add_column(width=_NAME, no_wrap=True, style=self._styles[name])
        line.add_column(width=1)
        line.add_column(overflow="fold")
        line.add_row(f"{at - self._began:.1f} s", name, sign, said)
        with self._lock:
            if not self._over:
                self._console.print(line)

    def _draw(self) -> Group:
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
        table.add_column("", width=_NAME)
        for stage in STAGES:
            table.add_column(stage, min_width=7, no_wrap=True)
        table.add_column("", min_width=14, no_wrap=True)
        for guest in self._guests:
            table.add_row(*self._row(guest))
        return Group("", table)

    def _row(self, guest: Guest) -> Iterator[Text]:
        played, progress = self._played.get(guest.user), self._progress.get(guest.user)
        yield Text(guest.name, style=self._styles[guest.name])
        for stage in STAGES:
            yield Text("") if progress is None else _cell(progress, stage)
        if played is not None:
            yield Text(str(played.found), style="green" if played.right else "red")
        else:
            yield Text(f"{time.monotonic() - self._began:.1f} s", style="dim")


def _tells(node: NodeProgress) -> bool:
    """True for what a line is worth: a column's node that waits for a person or has ended in any way but skipped."""
    if paths.name_of(node.path) not in STAGES or node.status == NodeStatus.SKIPPED:
        return False
    return NodeStatus(node.status).terminal or node.status == NodeStatus.WAITING


def _cell(progress: Progress, stage: str) -> Text:
    """The latest of a node's frames, with how many there are."""
    nodes = [node for path, node in list(progress.nodes.items()) if paths.name_of(path) == stage]
    begun = [node for node in nodes if node.status != NodeStatus.PENDING]
    if not begun:
        return Text(output.glyph("pending"), style="dim")
    status = begun[-1].status
    count = f" x{len(begun)}" if len(begun) > 1 else ""
    return Text(f"{output.glyph(status)}{count}", style=output.STYLES.get(status, ""))


def _words(told: Told) -> Text:
    if told.picture is not None:
        return Text(f"[picture, {text.size(told.picture)}]", style="bold")
    if told.pressed:
        return Text(f"[{text.one_line(told.text)}]", style="bold")
    words = Text(text.one_line(told.text, 400))
    for button in told.buttons:
        words.append(f"  [{text.one_line(button)}]", style="bold")
    return words


def _arrow(*, by_person: bool) -> str:
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    arrows = ("→", "←") if encoding.startswith("utf") else (">", "<")
    return arrows[0 if by_person else 1]


def write_outcomes(console: Console, played: Sequence[Played]) -> None:
    """Writes what came of each guest beside what had to."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name in ("", "guest", "sends", "outcome", "expected"):
        table.add_column(name, no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for one in played:
        mark = "completed" if one.right else "failed"
        style = output.STYLES[mark]
        cells = (one.guest.name, one.guest.about, Text(str(one.found), style=style), str(one.guest.expected))
        table.add_row(Text(output.glyph(mark), style=style), *cells, f"{one.seconds:.1f} s")
    console.print(table)
