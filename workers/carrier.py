"""The rest of the canvas that Celery sends when a task returns, and how a task changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aispine.engine import broker


class Carrier:
    """The chain behind one message; its next member is the last of Celery's list."""

    def __init__(self, request: Any) -> None:
        self._request = request

    @property
    def following(self) -> frozenset[str]:
        """The nodes that the next member of the chain starts."""
        return frozenset(_first_paths(self._request.chain[-1])) if self._request.chain else frozenset()

    def skip(self) -> None:
        """Takes the next member out: it is done already."""
        self._request.chain.pop()

    def stop(self) -> None:
        """Drops the rest: other messages carry what follows."""
        self._request.chain = None


def _first_paths(signature: Mapping[str, Any]) -> Iterator[str]:
    kwargs = signature.get("kwargs") or {}
    if signature["task"] == "celery.chord":
        members = kwargs["header"]
        members = members["kwargs"]["tasks"] if isinstance(members, Mapping) else members
    elif signature["task"] == "celery.group":
        members = kwargs["tasks"]
    elif signature["task"] == "celery.chain":
        members = kwargs["tasks"][:1]
    else:
        if signature["task"] == broker.RUN:
            yield signature["args"][1]
        elif signature["task"] == broker.RUN_LANE:
            yield from signature["args"][1]
        return
    for member in members:
        yield from _first_paths(member)
