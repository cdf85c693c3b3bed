from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from cli.progress import Progress
from cli.screen import LineScreen, screen

EXECUTION = {"execution_id": "e1", "flow_id": "hello", "version": "1.0.0", "created_at": "2026-01-01T00:00:00Z"}
NODES = [{"path": name, "type": "processor"} for name in ("a", "b", "c")]


def event(second: int, kind: str, path: str | None = None, **data: Any) -> dict[str, Any]:
    return {"seq": second, "type": kind, "path": path, "data": data, "created_at": f"2026-01-01T00:00:{second:02d}Z"}


def played(*events: dict[str, Any]) -> Progress:
    progress = Progress(EXECUTION, NODES)
    for found in events:
        progress.apply(found)
    return progress


def lines(*events: dict[str, Any]) -> list[str]:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    progress = Progress(EXECUTION, NODES)
    with console.file, LineScreen(console, progress) as view:
        for found in events:
            progress.apply(found)
            view.show(found)
    return [line[14:].strip() for line in console.export_text().splitlines()]


def test_a_node_goes_from_pending_to_completed_and_knows_how_long_it_took() -> None:
    progress = played(event(1, "execution.started"), event(2, "node.started", "a", attempt=1))
    assert (progress.status, progress.nodes["a"].status, progress.nodes["b"].status) == (
        "running",
        "running",
        "pending",
    )
    progress.apply(event(5, "node.completed", "a", attempt=1))
    assert progress.nodes["a"].seconds(datetime.now(UTC)) == 3
    assert not progress.ended


def test_a_retrying_node_counts_its_attempts_and_says_why() -> None:
    error = {"code": "timeout", "message": "no answer\nin 30 s"}
    progress = played(
        event(1, "node.started", "a", attempt=1),
        event(2, "node.retrying", "a", attempt=1, error=error, delay=1.5),
    )
    assert progress.nodes["a"].status == "retrying"
    assert progress.nodes["a"].note == "again in 1.5 s; timeout: no answer in 30 s"
    progress.apply(event(4, "node.started", "a", attempt=2))
    assert (progress.nodes["a"].attempts, progress.nodes["a"].note) == (2, "")


def test_a_lost_node_waits_for_another_worker() -> None:
    progress = played(event(1, "node.started", "a", attempt=1), event(2, "node.lost", "a", attempt=1))
    assert (progress.nodes["a"].status, progress.nodes["a"].note) == ("queued", "its worker is gone")


def test_what_never_came_to_its_turn_is_skipped_at_the_end() -> None:
    progress = played(event(1, "node.started", "a"), event(2, "node.failed", "a"), event(3, "execution.failed"))
    assert [node.status for node in progress.nodes.values()] == ["failed", "skipped", "skipped"]
    assert progress.ended
    assert progress.seconds(datetime.now(UTC)) == 3


@pytest.mark.parametrize("kind", ["node.late_result", "channel.message", "execution.imported", "odd"])
def test_an_event_of_an_unknown_kind_changes_nothing(kind: str) -> None:
    progress = played(event(1, "node.started", "a"), event(2, kind, "a"))
    assert progress.nodes["a"].status == "running"
    assert progress.status == "queued"


def test_nodes_that_the_flow_does_not_list_are_added() -> None:
    assert list(played(event(1, "node.started", "pages[1]/ocr")).nodes) == ["a", "b", "c", "pages[1]/ocr"]


def test_a_crowded_screen_keeps_the_nodes_at_work() -> None:
    progress = played(event(1, "node.started", "c"), event(2, "node.completed", "a"))
    assert [node.path for node in progress.shown(2)] == ["c"]
    assert [node.path for node in progress.shown(3)] == ["a", "b", "c"]
    assert dict(progress.counts()) == {"pending": 1, "running": 1, "completed": 1}


def test_lines_tell_an_execution_from_start_to_end() -> None:
    assert lines(
        event(0, "execution.started"),
        event(1, "node.started", "a", attempt=1),
        event(2, "node.retrying", "a", attempt=1, delay=1, error={"code": "timeout", "message": "late"}),
        event(3, "node.started", "a", attempt=2),
        event(5, "node.completed", "a", attempt=2, chosen=["b"]),
        event(6, "execution.failed", error={"code": "agent_error", "message": "no"}),
    ) == [
        "execution  started    hello 1.0.0 e1",
        "a          started",
        "a          retrying   again in 1.0 s; timeout: late",
        "a          started    attempt 2",
        "a          completed  4.0 s  -> b",
        "execution  failed     6.0 s  agent_error: no",
    ]


def test_an_agent_cannot_move_the_cursor_of_the_terminal() -> None:
    message = "\x1b[2J\x1b]0;owned\x07gone\r\nforged"
    (line,) = lines(event(1, "node.failed", "a", error={"code": "agent_error", "message": message}))
    assert line == "a          failed     agent_error: ]0;ownedgone forged"


@pytest.mark.parametrize(("terminal", "drawn"), [(True, True), (False, False)])
def test_a_terminal_gets_a_table_that_redraws_itself(terminal: bool, drawn: bool) -> None:
    console = Console(force_terminal=terminal, width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    progress = played(event(0, "execution.started"), event(1, "node.started", "a"))
    with console.file, screen(console, progress) as view:
        view.show(event(1, "node.started", "a"))
    assert ("hello 1.0.0  running" in console.export_text()) is drawn
