from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from cli.node_progress import of_result
from cli.progress import Progress
from cli.screen import LineScreen, screen
from cli.shape import Shape

EXECUTION = {"execution_id": "e1", "flow_id": "hello", "version": "1.0.0", "created_at": "2026-01-01T00:00:00Z"}
SHAPE = Shape([{"id": name, "type": "processor"} for name in ("a", "b", "c")])
NESTED = Shape(
    [
        {
            "id": "pages",
            "type": "map",
            "bodies": [
                [
                    {"id": "ocr", "type": "processor"},
                    {"id": "poll", "type": "loop", "bodies": [[{"id": "check", "type": "wait"}]]},
                ]
            ],
        },
        {
            "id": "both",
            "type": "fork",
            "branches": ["right", "left"],
            "bodies": [[{"id": "r", "type": "wait"}], [{"id": "l", "type": "wait", "on_error": "continue"}]],
        },
    ]
)


def event(second: int, kind: str, path: str | None = None, **data: Any) -> dict[str, Any]:
    return {"seq": second, "type": kind, "path": path, "data": data, "created_at": f"2026-01-01T00:00:{second:02d}Z"}


def played(*events: dict[str, Any], shape: Shape = SHAPE) -> Progress:
    progress = Progress(EXECUTION, shape)
    for found in events:
        progress.apply(found)
    return progress


def lines(*events: dict[str, Any], shape: Shape = SHAPE) -> list[str]:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    progress = Progress(EXECUTION, shape)
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
    assert [line.node.path for line in progress.shown(2)] == ["c"]
    assert [line.node.path for line in progress.shown(3)] == ["a", "b", "c"]
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


def drawn(progress: Progress) -> list[str]:
    return ["  " * line.depth + f"{line.name} {line.node.status} {line.summary}".strip() for line in progress.lines()]


def test_nodes_in_bodies_stand_below_their_containers() -> None:
    progress = played(
        event(0, "node.started", "pages", attempt=1, total=2),
        event(1, "node.completed", "pages[1]/ocr"),
        event(1, "node.started", "pages[0]/ocr"),
        event(2, "node.started", "pages[1]/poll"),
        event(3, "node.completed", "pages[1]/poll[0]/check"),
        event(4, "node.waiting", "pages[1]/poll[1]/check", **{"for": "timer", "until": None}),
        shape=NESTED,
    )
    assert drawn(progress) == [
        "pages running 0/2 done, 2 running",
        "  pages[0]/ocr running",
        "  pages[1]/ocr completed",
        "  pages[1]/poll running 1 iteration done",
        "    poll[0]/check completed",
        "    poll[1]/check waiting",
        "both pending",
    ]


def test_branches_stand_below_their_fork() -> None:
    progress = played(event(1, "node.started", "both"), event(2, "node.failed", "both[left]/l"), shape=NESTED)
    assert drawn(progress)[1:] == ["both running", "  both[left]/l failed"]


def test_a_large_map_is_summed_up_and_shows_what_is_at_work_or_failed() -> None:
    one = Shape([{"id": "pages", "type": "map", "bodies": [[{"id": "ocr", "type": "processor"}]]}])
    ended = [event(1, "node.completed", f"pages[{number}]/ocr") for number in range(412)]
    running = [event(1, "node.started", f"pages[{number}]/ocr") for number in range(412, 415)]
    failed = event(1, "node.failed", "pages[415]/ocr", error={"code": "timeout", "message": "late"})
    progress = played(event(0, "node.started", "pages", total=1000), *ended, *running, failed, shape=one)
    assert drawn(progress) == [
        "pages running 412/1000 done, 3 running, 1 failed",
        "  pages[412]/ocr running",
        "  pages[413]/ocr running",
        "  pages[414]/ocr running",
        "  pages[415]/ocr failed",
    ]


def test_a_long_loop_shows_its_last_iterations() -> None:
    poll = Shape([{"id": "poll", "type": "loop", "bodies": [[{"id": "check", "type": "processor"}]]}])
    ended = [event(1, "node.completed", f"poll[{number}]/check") for number in range(12)]
    progress = played(event(0, "node.started", "poll"), *ended, event(2, "node.started", "poll[12]/check"), shape=poll)
    assert drawn(progress) == [
        "poll running 12 iterations done",
        "  poll[11]/check completed",
        "  poll[12]/check running",
    ]


def test_a_retried_execution_shows_again_as_to_come_what_it_does_again() -> None:
    progress = played(
        event(1, "node.completed", "a"),
        event(2, "node.failed", "b", error={"code": "timeout", "message": "late"}),
        event(3, "execution.failed"),
    )
    assert progress.ended
    progress.apply(event(4, "execution.retried", by="ada"))
    assert not progress.ended
    assert [node.status for node in progress.nodes.values()] == ["completed", "pending", "pending"]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ({"for": "signal", "signal": "paid", "until": None}, "for the signal paid"),
        ({"for": "approval", "until": None}, "for an answer"),
        ({"for": "mutex", "mutex": "desk"}, "for the mutex desk"),
        ({"child": "e2"}, "for the execution e2"),
        ({"for": "timer", "until": None}, ""),
    ],
)
def test_a_waiting_node_says_what_it_waits_for(data: dict[str, Any], note: str) -> None:
    assert played(event(1, "node.waiting", "a", **data)).nodes["a"].note == note


def test_a_waiting_node_says_until_when() -> None:
    seen = played(event(1, "node.waiting", "a", **{"for": "approval", "until": "2026-01-01T12:00:00+00:00"})).nodes["a"]
    shown = of_result(
        {
            "path": "a",
            "status": "waiting",
            "waiting_for": {"kind": "approval", "due_at": "2026-01-01T12:00:00.000000Z"},
        }
    )
    assert seen.note == shown.note
    assert seen.note.startswith("for an answer until 20")


def test_lines_tell_what_came_from_outside() -> None:
    assert lines(
        event(1, "signal.received", name="paid", kept=True, by="eva"),
        event(2, "approval.answered", "a", by="ada", approved=False),
        event(3, "execution.paused", by="ada"),
    ) == [
        "signal     received   paid  by eva  nobody waits for it yet; it is kept",
        "a          answered   rejected by ada",
        "execution  paused     by ada",
    ]


def test_an_execution_in_which_all_that_is_open_waits_is_shown_as_waiting_with_what_to_do() -> None:
    asked = event(2, "node.waiting", "a", **{"for": "approval"})
    progress = played(event(1, "execution.started"), asked)
    assert progress.shown_status == "waiting"
    assert list(progress.advice()) == ["Answer with `aispine approval answer e1 a --approve`, or --reject."]
    progress.apply(event(3, "node.started", "b"))
    assert progress.shown_status == "running"
    progress.apply(event(4, "node.completed", "a"))
    assert list(progress.advice()) == []


def test_the_line_of_a_wait_for_a_signal_says_how_to_send_it() -> None:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    waits = event(1, "node.waiting", "a", **{"for": "signal", "signal": "paid"})
    with console.file, LineScreen(console, played(waits)) as view:
        view.show(waits)
    assert console.export_text().splitlines()[-1] == "Signal with `aispine execution signal e1 paid`."


def test_the_error_of_a_failed_node_is_not_said_again_by_its_execution() -> None:
    error = {"code": "agent_error", "message": "no", "detail": {"error_code": "empty_text"}}
    assert lines(event(1, "node.failed", "a", error=error), event(2, "execution.failed", error=error)) == [
        "a          failed     agent_error (empty_text): no",
        "execution  failed     2.0 s",
    ]


def test_the_times_of_an_ended_execution_are_those_of_the_api() -> None:
    progress = played(event(1, "execution.started"), event(9, "execution.completed"))
    progress.settle({"started_at": "2026-01-01T00:00:02Z", "finished_at": "2026-01-01T00:00:05Z"})
    assert progress.seconds(datetime.now(UTC)) == 3


def test_a_narrow_terminal_cuts_what_a_node_says_and_nothing_else() -> None:
    console = Console(force_terminal=True, width=60, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    failed = event(2, "node.failed", "a", error={"code": "agent_error", "message": "long " * 40})
    with console.file, screen(console, played(event(1, "execution.started"), failed)):
        pass
    line = [line for line in console.export_text().splitlines() if " a " in line][-1]
    assert "processor  failed" in line
    assert line.rstrip().endswith("…")
    assert len(line) <= 60


def test_the_words_of_a_model_are_shown_as_they_come() -> None:
    def words(second: int, text: str, step: int = 1) -> dict[str, Any]:
        return event(second, "node.tokens", "a", attempt=1, step=step, model="m", text=text)

    begun = (event(1, "execution.started"), event(2, "node.started", "a", attempt=1))
    assert lines(*begun, words(3, "Good mor"), words(4, "ning,\nAda"))[2:] == [
        "a          tokens     Good mor",
        "a          tokens     ning, Ada",
    ]
    node = played(*begun, words(3, "Good mor"), words(4, "ning,\nAda")).nodes["a"]
    assert (node.status, node.note) == ("running", "Good morning, Ada")
    assert played(*begun, words(3, "Good"), words(4, "Bye", step=2)).nodes["a"].note == "Bye"
    assert played(*begun, words(3, "x" * 100)).nodes["a"].note == "…" + "x" * 48
    assert played(*begun, words(3, "Good"), event(4, "node.completed", "a", attempt=1)).nodes["a"].note == ""
