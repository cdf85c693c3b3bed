"""Following one execution to its end."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from aispine.errors import AISpineError, NotFound
from aispine.flow import paths
from aispine.flow.status import ExecutionStatus
from cli.errors import Interrupted
from cli.node_progress import error_text
from cli.progress import Progress
from cli.shape import Shape
from cli.text import duration, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client import Client


class StillRunning(AISpineError):
    """The execution has not ended yet."""


def follow(
    client: Client, execution_id: str, *, console: Console | None = None, timeout: float | None = None
) -> dict[str, Any]:
    """Waits until the execution ends and returns it as the API shows it; with a console, shows it on the way.

    `timeout` in seconds. Raises `StillRunning` when it is over, and `Interrupted` on Ctrl-C.
    """
    execution = show(client, execution_id)
    try:
        _follow(client, execution, console, timeout)
    except KeyboardInterrupt as error:
        raise Interrupted(_goes_on(execution_id)) from error
    except TimeoutError as error:
        raise StillRunning(f"the execution has not ended after {timeout:g} s", hint=_goes_on(execution_id)) from error
    return show(client, execution_id)


def show(client: Client, execution_id: str, *, sensitive: bool = False) -> dict[str, Any]:
    """The execution as the API shows it."""
    execution: dict[str, Any] = client.get(f"/api/v1/executions/{execution_id}", params=asking(sensitive))
    return execution


def results(client: Client, execution_id: str, *, sensitive: bool = False) -> list[dict[str, Any]]:
    """The execution's nodes, in the order of the flow."""
    path = f"/api/v1/executions/{execution_id}/results"
    found: list[dict[str, Any]] = client.get(path, params=asking(sensitive))["data"]
    return found


def asking(sensitive: bool) -> dict[str, str]:
    """The parameters of a request that wants sensitive values shown, or not."""
    return {"show_sensitive": "true"} if sensitive else {}


def shape(client: Client, execution: dict[str, Any]) -> Shape:
    """The shape of the execution's flow; an empty one when the flow was deleted meanwhile."""
    try:
        return Shape(client.get(f"/api/v1/flows/{execution['flow_id']}/versions/{execution['version']}")["nodes"])
    except NotFound:
        return Shape()


def _follow(client: Client, execution: dict[str, Any], console: Console | None, timeout: float | None) -> None:
    from cli.screen import screen

    execution_id = execution["execution_id"]
    progress = Progress(execution, shape(client, execution) if console else None)
    with screen(console, progress) if console else nullcontext() as view:
        for event in client.stream(f"/api/v1/executions/{execution_id}/stream", timeout=timeout):
            progress.apply(event.data)
            if progress.ended:
                progress.settle(show(client, execution_id))
            if view:
                view.show(event.data)
            if progress.ended and not _goes_on_after(client, execution_id, event.data["seq"]):
                return


def _goes_on_after(client: Client, execution_id: str, seq: int) -> bool:
    """True when the execution was opened again after the event that ended it."""
    params = {"cursor": seq, "limit": 1}
    return bool(client.get(f"/api/v1/executions/{execution_id}/events", params=params)["data"])


def _goes_on(execution_id: str) -> str:
    """What to tell somebody whose command ends before the execution does."""
    return (
        f"The execution goes on. Come back with `aispine flow watch {execution_id}`, "
        f"or stop it with `aispine execution cancel {execution_id}`."
    )


def check_completed(client: Client, execution: dict[str, Any]) -> None:
    """Raises an `AISpineError` that says what went wrong, unless the execution completed."""
    if ExecutionStatus(execution["status"]).successful:
        return
    nodes = _innermost([node for node in results(client, execution["execution_id"]) if node["status"] == "failed"])
    why = error_text((nodes[0]["error"] if len(nodes) == 1 else execution.get("error")) or {})
    where = f" in `{nodes[0]['path']}`" if len(nodes) == 1 else ""
    raise AISpineError(
        one_line(f"the execution {_ended(execution['status'])}{where}{': ' if why else ''}{why}", limit=1000),
        hint=_hint(client, execution["execution_id"], nodes),
        errors=[{"path": node["path"], "message": one_line(error_text(node["error"]))} for node in nodes]
        if len(nodes) > 1
        else (),
    )


def _innermost(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failed nodes in which no other one failed: a container fails because of what is inside."""
    outer = {part for node in failed for part in paths.around(node["path"])}
    return [node for node in failed if node["path"] not in outer and not paths.is_frame(node["path"])]


def _ended(status: str) -> str:
    return {"cancelled": "was cancelled", "timed_out": "took longer than its timeout"}.get(status, status)


def _hint(client: Client, execution_id: str, failed: list[dict[str, Any]]) -> str:
    """Where to look: at what a failed node wrote, when it wrote something."""
    from cli import flow_logs

    wrote = {entry["path"] for entry in flow_logs.fetch(client, execution_id, None)} if failed else set()
    for node in failed:
        if node["path"] in wrote:
            path = shlex.quote(node["path"])
            return f"See what the node wrote with `aispine flow logs {execution_id} --node {path}`."
    return f"See its nodes with `aispine execution show {execution_id}`."


def took(execution: dict[str, Any]) -> str:
    """How long the execution took, as text."""
    from cli.text import between

    start = execution.get("started_at") or execution["created_at"]
    return duration(between(start, execution.get("finished_at"))) or ""
