"""Shared variables: one set for the execution, and a copy for each item and branch that changes some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from aispine.engine.ledger import Ledger
from aispine.flow import paths
from aispine.flow.model import NodeType


def context(ledger: Ledger, path: str) -> Mapping[str, Any]:
    """The shared variables as a node or frame sees them: an item or branch that has set some has a copy of its own."""
    for frame in _isolating(ledger, path):
        own: Mapping[str, Any] | None = ledger.node(frame).remembered("context")
        if own is not None:
            return own
    return ledger.execution.context


def change(ledger: Ledger, path: str, values: Mapping[str, Any]) -> None:
    """Changes shared variables where the node stands."""
    changed = {**context(ledger, path), **values}
    frame = next(_isolating(ledger, path), None)
    if frame is None:
        ledger.execution = replace(ledger.execution, context=changed)
    else:
        ledger.remember(frame, context=changed)


def _isolating(ledger: Ledger, path: str) -> Iterator[str]:
    """The frames around a node whose variables are copies, innermost first; iterations of a loop share."""
    frame = path if paths.is_frame(path) else paths.frame_of(path)
    while frame:
        if ledger.spec(frame).type is not NodeType.LOOP:
            yield frame
        frame = paths.frame_of(frame)
