"""Reading and checking a flow file: everything that is wrong with it at once, or the flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aispine.errors import InvalidFlow
from aispine.flow.draft import Body, Drafter
from aispine.flow.edges import (
    Directory,
    check_cycles,
    check_ids,
    check_joins,
    check_link,
    check_links,
    check_reachable,
    walk,
)
from aispine.flow.graph import Graph, graph
from aispine.flow.keys import FLOW_KEYS
from aispine.flow.meetings import check_meetings
from aispine.flow.model import Flow, NodeType
from aispine.flow.problem import Problem, Report
from aispine.flow.reader import DEFAULT_LIMITS, read
from aispine.flow.reading import Reading
from aispine.flow.rules import check_iterations, check_node
from aispine.flow.schedule_section import read_schedule
from aispine.flow.scopes import Check, View, check_uses
from aispine.flow.section import read_defaults, read_section, table
from aispine.flow.tree import Limits, Tree
from aispine.flow.writers import check_writers

MAX_PROBLEMS: Final = 1_000
_FLOW: Final = table(FLOW_KEYS)
_FIELDS: Final = (
    *("flow_id", "version", "description", "metadata", "input_schema", "context", "timeout", "on_error"),
    *("on_failure", "output", "entry_point", "exit_points", "schedule"),
)


def load(text: bytes | str, file: str = "flow.yaml", limits: Limits = DEFAULT_LIMITS) -> Flow:
    """The flow of a file; raises `InvalidFlow` whose `errors` are all of its problems."""
    flow, problems = check(text, file, limits)
    if flow is None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InvalidFlow(f"{problems[0]}{more}", hint=problems[0].hint, errors=[each.as_dict() for each in problems])
    return flow


def check(
    text: bytes | str, file: str = "flow.yaml", limits: Limits = DEFAULT_LIMITS
) -> tuple[Flow | None, tuple[Problem, ...]]:
    """The flow, or None and every problem of the file in the order of its lines. Never raises for what is in it."""
    document = read(text, file, limits)
    report = Report(file, problems=list(document.problems))
    flow = _flow(document.root, report, limits) if document.root is not None else None
    problems = report.in_order()[:MAX_PROBLEMS]
    return (None if problems else flow), problems


def is_test_file(path: str) -> bool:
    """True for the files that test flows: `*.test.yaml`."""
    return path.endswith((".test.yaml", ".test.yml"))


def _flow(root: Tree, report: Report, limits: Limits) -> Flow:
    reading = Reading(report)
    values = read_section(root, _FLOW, reading, "a flow", elsewhere=_belongs_to_test)
    drafter = Drafter(report, limits)
    if "defaults" in values:
        drafter.timeout, drafter.retry = read_defaults(values["defaults"], reading)
    if "schedule" in values:
        values["schedule"] = read_schedule(values["schedule"], reading, values.get("input_schema"))
    body = drafter.body(values.get("nodes", ()), "flow")
    _Checker(body, reading, values, report, limits).check()
    given = {name: values[name] for name in _FIELDS if name in values}
    identity = {"flow_id": "", "version": "0.0.0", **given}
    return Flow(name=values.get("name", identity["flow_id"]), nodes=body.nodes, **identity)


def _belongs_to_test(name: str) -> str | None:
    return "This looks like a test file; name it `*.test.yaml`." if name in {"mocks", "cases"} else None


class _Checker:
    """The checks that need the whole file."""

    def __init__(self, body: Body, reading: Reading, values: Mapping[str, Any], report: Report, limits: Limits) -> None:
        self.body = body
        self.reading = reading
        self.values = values
        self.limits = limits
        self.report = report
        self.directory: Directory = check_ids(body, report)
        self.uses = Check(self.directory, report)

    def check(self) -> None:
        for draft, _ in walk(self.body):
            check_node(draft, self.report)
            check_iterations(draft, self.limits.max_iterations, self.report)
        top = graph(self.body.drafts)
        self._check_body(top, View())
        for link in self.reading.links:
            check_link(link, None, top, self.directory, self.report)
        for use in self.reading.uses:
            self.uses.use(use, View().plus(top, top.everything), None)

    def _check_body(self, current: Graph, view: View) -> None:
        check_links(current, self.directory, self.report)
        check_cycles(current, self.report)
        check_joins(current, self.report)
        check_meetings(current, self.report)
        check_reachable(current, self._starts(current), self.report)
        ancestors = current.ancestors()
        check_writers(current, ancestors, self.report)
        for place, draft in enumerate(current.drafts):
            inner = tuple(graph(body.drafts) for body in draft.bodies)
            seen = view.plus(current, self._seen(current, ancestors, place))
            check_uses(draft, place, seen, inner, self.uses)
            for body, body_graph in zip(draft.bodies, inner, strict=True):
                self._check_body(body_graph, seen.into(body))

    def _starts(self, current: Graph) -> set[int]:
        starts = self._named(current, "entry_point")
        starts |= {place for place, draft in enumerate(current.drafts) if draft.node.type is NodeType.INPUT}
        # The flow's own handler is started by a failure; alone it says nothing about how the flow starts.
        return starts | self._named(current, "on_error") if starts else starts

    def _named(self, current: Graph, key: str) -> set[int]:
        place = current.index.get(self.values.get(key, ""))
        return set() if place is None else {place}

    def _seen(self, current: Graph, ancestors: list[int], place: int) -> int:
        """The flow's handler and what follows it may read any node: it can run after any of them."""
        handlers = self._named(current, "on_error")
        after_handler = any(place == handler or ancestors[place] >> handler & 1 for handler in handlers)
        return current.everything if after_handler else ancestors[place]
