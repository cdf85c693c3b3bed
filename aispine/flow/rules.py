"""Rules about one node that no single key can tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aispine.errors import ExpressionError
from aispine.flow.draft import Draft
from aispine.flow.model import Join, Node, NodeType, Position
from aispine.flow.problem import Report
from aispine.flow.reading import kind_of
from aispine.flow.references import NOTHING, shorten


def check_iterations(draft: Draft, most: int, report: Report) -> None:
    """Reports a loop whose bound is beyond what this installation allows."""
    loop = draft.node.loop
    if loop is not None and loop.max_iterations > most:
        message = f"`max_iterations`: must be at most {most:,}, not {loop.max_iterations}"
        hint = "That is the setting `max_iterations`."
        report.within(draft.node.id).add("invalid_value", message, key_position(draft, "max_iterations"), hint=hint)


def check_node(draft: Draft, report: Report) -> None:
    """Reports what the keys of a node say against each other."""
    rule = _RULES.get(draft.node.type)
    if rule is not None and draft.known:
        for code, message, hint, key in rule(draft):
            position = draft.tree.keys.get(key, draft.node.position)
            report.within(draft.node.id).add(code, message, position, hint=hint)


Finding = tuple[str, str, str | None, str]
"""Code, message, hint and the key that it is about, empty for the whole node."""


def _given(draft: Draft, *names: str) -> list[str]:
    return [name for name in names if name in draft.tree.members and draft.tree.members[name].value is not None]


def _decision(draft: Draft) -> Iterator[Finding]:
    if not _given(draft, "then", "then_node", "else", "else_node"):
        yield "missing_key", "a decision node needs `then` or `else`", "Name the node that runs next.", ""


def _loop(draft: Draft) -> Iterator[Finding]:
    if _given(draft, "until", "until_condition") and _given(draft, "while"):
        yield "misplaced_key", "a loop takes `until` or `while`, not both", None, "while"


def _map(draft: Draft) -> Iterator[Finding]:
    items = draft.node.map.items if draft.node.map else None
    if items is None or not _given(draft, "items") or items.references != NOTHING:
        return
    try:
        value = items.select({})
    except ExpressionError as error:
        yield "invalid_expression", error.message, error.hint, "items"
        return
    if not isinstance(value, list):
        yield "invalid_value", f"`items` is always {kind_of(value)}, not a list", "For example `output.pages`.", "items"


def _join(draft: Draft) -> Iterator[Finding]:
    join = draft.node.join or Join()
    if join.strategy == "n_of_m" and join.n is None and not _given(draft, "n"):
        yield "missing_key", "`strategy: n_of_m` needs `n`", "Say how many branches are enough.", "strategy"
    if join.strategy != "n_of_m" and _given(draft, "n"):
        yield "misplaced_key", "`n` belongs to `strategy: n_of_m`", None, "n"
    if join.strategy == "best_result" and not _given(draft, "score"):
        yield "missing_key", "`strategy: best_result` needs `score`", "For example `score: output.confidence`.", ""
    if join.strategy != "best_result" and _given(draft, "score"):
        yield "misplaced_key", "`score` belongs to `strategy: best_result`", None, "score"


def _wait(draft: Draft) -> Iterator[Finding]:
    given = _given(draft, "seconds", "until", "signal")
    if len(given) != 1:
        count = "none" if not given else f"{len(given)}"
        yield "missing_key", f"a wait node takes one of `seconds`, `until` and `signal`, not {count}", None, ""
    elif given != ["signal"] and _given(draft, "timeout"):
        yield "misplaced_key", f"`timeout` belongs to a wait for a signal, not for `{given[0]}`", None, "timeout"
    elif (signal := draft.node.wait.signal if draft.node.wait else None) and not _SIGNAL.fullmatch(signal):
        yield "invalid_value", f"`signal`: `{shorten(signal)}` is not the name of a signal", _SIGNAL_RULE, "signal"
    yield from _on_timeout(draft)


def _on_timeout(draft: Draft) -> Iterator[Finding]:
    if _given(draft, "on_timeout") and draft.node.timeout is None:
        yield "missing_key", "`on_timeout` needs `timeout`", "Say how long it waits, as `timeout: 1d`.", "on_timeout"


_SIGNAL: Final = re.compile(r"\w[\w.:-]{0,199}")
_SIGNAL_RULE: Final = "It starts with a letter, digit or `_` and goes on with those, `.`, `:` and `-`; 200 at most."
_RULES: Final[Mapping[NodeType, Callable[[Draft], Iterator[Finding]]]] = {
    NodeType.DECISION: _decision,
    NodeType.LOOP: _loop,
    NodeType.MAP: _map,
    NodeType.JOIN: _join,
    NodeType.WAIT: _wait,
    NodeType.APPROVAL: _on_timeout,
}


def key_position(draft: Draft, key: str) -> Position:
    """Where a key of a node stands, the node itself when it is not there."""
    return draft.tree.keys.get(key, draft.node.position)


def branches_of(node: Node, dependencies: Mapping[str, Node]) -> int:
    """How many branches meet in a join: those of the fork when it depends on one alone."""
    if len(node.depends_on) == 1 and (source := dependencies.get(node.depends_on[0])) and source.fork:
        return len(source.fork.branches)
    return len(node.depends_on)
