"""What an expression reads, known without evaluating it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aispine.errors import ExpressionError

ROOTS: Final = frozenset(
    {"input", "context", "nodes", "output", "error", "iteration", "loop_output", "item", "index", "execution"}
)
"""The names that an expression may start with."""

MAX_NAME: Final = 100
"""Longer names are no misspelling of anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class References:
    """The roots and the nodes that an expression reads.

    `all_nodes` is true when `nodes` is used in a way that names no node, such as `values(nodes)`.
    """

    nodes: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset()
    all_nodes: bool = False
    secrets: frozenset[str] = frozenset()

    def __or__(self, other: References) -> References:
        return References(
            nodes=self.nodes | other.nodes,
            roots=self.roots | other.roots,
            all_nodes=self.all_nodes or other.all_nodes,
            secrets=self.secrets | other.secrets,
        )


SECRETS_RULE: Final = (
    "Write `${secrets.NAME}`, alone or among plain text, in the `input` or `config` of a node that calls an agent or "
    "a tool."
)
NOTHING: Final = References()
EVERYTHING: Final = References(roots=ROOTS, all_nodes=True)
WHOLE_NODES: Final = References(roots=frozenset({"nodes"}), all_nodes=True)


def union(references: Iterable[References]) -> References:
    result = NOTHING
    for each in references:
        result = result | each
    return result


def root(name: str, text: str) -> References:
    """The reference to a root alone; `ExpressionError` when there is no such root."""
    if name not in ROOTS:
        raise malformed(text, f"`{name}` is not known", text.find(name) + 1, hint=_hint(name))
    return WHOLE_NODES if name == "nodes" else References(roots=frozenset({name}))


def node(node_id: str) -> References:
    """The reference to one node."""
    return References(nodes=frozenset({node_id}), roots=frozenset({"nodes"}))


def malformed(text: str, why: str, column: int = 1, *, hint: str | None = None) -> ExpressionError:
    """An expression that cannot be read; `errors[0]["column"]` is the 1-based column inside the expression."""
    column = max(column, 1)
    return ExpressionError(
        f"{why}, at column {column} of `{shorten(text)}`", hint=hint, errors=[{"message": why, "column": column}]
    )


def shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    if len(name) > MAX_NAME:
        return None
    matches = difflib.get_close_matches(name, list(known), n=1)
    return matches[0] if matches else None


def _hint(name: str) -> str:
    if name == "secrets":
        return SECRETS_RULE
    if meant := suggest(name, ROOTS):
        return f"Did you mean `{meant}`?"
    return f"An expression starts with {', '.join(sorted(ROOTS))}; perhaps `output.{name}` or `context.{name}`."
