"""What the containers have in common: how the failure of something inside becomes their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aispine.engine.ending import cancel_inside, describe, fail
from aispine.engine.ledger import Ledger
from aispine.flow.state import NodeState


def fail_whole(ledger: Ledger, path: str, error: Mapping[str, Any]) -> None:
    """Fails a container and cancels what is open inside."""
    cancel_inside(ledger, path)
    fail(ledger, path, error)


def inner_error(ledger: Ledger, path: str, frame: NodeState) -> dict[str, Any]:
    """The error of a container is that of the node inside, under the container's own name."""
    cause = frame.error or {}
    error = describe(ledger.node(path), cause.get("code", ""), f"{frame.path}: {cause.get('message', '')}")
    return {**error, "cause": cause}
