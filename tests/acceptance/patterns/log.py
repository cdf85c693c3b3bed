"""The order of things in an execution, as its event log tells it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.flows import Seen

ENDS = ("node.completed", "node.failed", "node.cancelled", "node.skipped")


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """Numbers of events; each method asserts that there is exactly one such event."""

    seen: Seen

    def began(self, path: str) -> int:
        return self.one("node.started", path)

    def waited(self, path: str) -> int:
        return self.one("node.waiting", path)

    def completed(self, path: str) -> int:
        return self.one("node.completed", path)

    def cancelled(self, path: str) -> int:
        return self.one("node.cancelled", path)

    def skipped(self, path: str) -> int:
        return self.one("node.skipped", path)

    def ended(self, path: str) -> int:
        (found,) = [event.seq for event in self.seen.events if event.type in ENDS and event.path == path]
        return found

    def one(self, kind: str, path: str | None = None) -> int:
        found = [event.seq for event in self.seen.events if event.type == kind and event.path == path]
        assert len(found) == 1, f"{kind} of {path}: {found}"
        return found[0]

    @property
    def children(self) -> list[str]:
        """The child executions, in the order in which they were started."""
        return [event.data["child"] for event in self.seen.events if "child" in event.data]

    def none(self, *names: str) -> bool:
        """True when none of the nodes ever began."""
        return not any(event.path in names and event.type == "node.started" for event in self.seen.events)

    def span(self, path: str) -> range:
        """The events from a node's beginning to its end."""
        return range(self.began(path), self.ended(path) + 1)

    def overlap(self, one: str, other: str) -> bool:
        """True when both were under way at the same time."""
        first, second = sorted((self.span(one), self.span(other)), key=lambda span: span.start)
        return second.start < first.stop - 1
