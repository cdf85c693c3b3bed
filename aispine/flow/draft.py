"""Nodes as they stand in the file: read, but not yet known to fit together."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aispine.flow.keys import CASE_KEYS, Key, Kind
from aispine.flow.model import Node, NodeType, RetryPolicy
from aispine.flow.node_builder import build_node
from aispine.flow.node_keys import CALLING_TYPES, NODE_KEYS, TYPE_ALIASES, keys_of, owners_of
from aispine.flow.problem import Report
from aispine.flow.reading import Link, Misfit, Reading, Use
from aispine.flow.references import suggest
from aispine.flow.section import Table, is_mapping, read_cache, read_retry, read_section, table
from aispine.flow.tree import Limits, Tree
from aispine.flow.values import ID_RULE, NODE_ID, read_duration

BodyKind = Literal["flow", "loop", "map", "fork"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """One node with what the graph checks need to know about its place in the file."""

    node: Node
    tree: Tree
    uses: tuple[Use, ...]
    links: tuple[Link, ...]
    known: bool = True
    """False when the node has no usable id or type, so that nothing can be said about its place in the graph."""
    bodies: tuple[Body, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """Nodes that see each other: those of the flow, of a loop, of a map, or of one branch of a fork."""

    kind: BodyKind
    drafts: tuple[Draft, ...]
    name: str | None = None
    """Of a branch."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(draft.node for draft in self.drafts)


@dataclass(slots=True)
class Drafter:
    """Reads the nodes of one file, bodies included."""

    report: Report
    limits: Limits
    timeout: float | None = None
    """The flow's `defaults.timeout`, in seconds."""
    retry: RetryPolicy | None = None
    count: int = field(default=0, init=False)

    def body(self, trees: tuple[Tree, ...], kind: BodyKind, *, depth: int = 0, name: str | None = None) -> Body:
        if depth > self.limits.max_bodies:
            message = f"bodies stand inside bodies more than {self.limits.max_bodies} deep"
            self.report.add("too_deep", message, trees[0].position, hint="Make a subflow of the inner part.")
            return Body(kind=kind, drafts=(), name=name)
        drafts = tuple(draft for tree in trees if (draft := self._draft(tree, depth)) is not None)
        return Body(kind=kind, drafts=drafts, name=name)

    def _draft(self, tree: Tree, depth: int) -> Draft | None:
        self.count += 1
        if self.count > self.limits.max_nodes:
            self._refuse_many(tree)
            return None
        reading = Reading(self.report.within(_id(tree)))
        if not is_mapping(tree, reading, "a node"):
            return None
        node_type = _type(tree, reading)
        values = _read_values(tree, node_type, reading)
        known = node_type is not None and "id" in values
        node_type = node_type or NodeType.PROCESSOR
        bodies = self._bodies(node_type, values, depth)
        self._read_sections(node_type, tree, values, reading)
        return Draft(
            node=build_node(node_type, tree.position, values, bodies=[body.nodes for body in bodies]),
            tree=tree,
            uses=tuple(reading.uses),
            links=tuple(reading.links),
            known=known,
            bodies=bodies,
        )

    def _refuse_many(self, tree: Tree) -> None:
        if self.count == self.limits.max_nodes + 1:
            message = f"the flow has more than {self.limits.max_nodes:,} nodes"
            hint = "Split it into subflows, or use a map for work that repeats."
            self.report.add("too_large", message, tree.position, hint=hint)

    def _bodies(self, node_type: NodeType, values: Mapping[str, Any], depth: int) -> tuple[Body, ...]:
        if node_type in {NodeType.LOOP, NodeType.MAP}:
            kind: BodyKind = "loop" if node_type is NodeType.LOOP else "map"
            return (self.body(values["body"], kind, depth=depth + 1),) if "body" in values else ()
        if node_type is NodeType.FORK and "branches" in values:
            return tuple(self._branches(values["branches"], depth))
        return ()

    def _branches(self, tree: Tree, depth: int) -> Iterator[Body]:
        if not tree.members:
            self.report.add("invalid_value", "`branches`: is empty", tree.position, hint="There must be at least one.")
        for name, branch in tree.members.items():
            if not re.fullmatch(NODE_ID, name):
                self.report.add("invalid_key", f"`{name}` is not the name of a branch", tree.keys[name], hint=ID_RULE)
            if isinstance(branch.value, list) and branch.items:
                yield self.body(branch.items, "fork", depth=depth + 1, name=name)
            else:
                self.report.add("invalid_type", f"the branch `{name}` must be a list of nodes", branch.position)

    def _read_sections(self, node_type: NodeType, tree: Tree, values: dict[str, Any], reading: Reading) -> None:
        """Reads what is a section of its own, and fills in what the flow says for all nodes."""
        if "cases" in values:
            values["cases"] = [_case(case, reading) for case in values["cases"]]
        if "retry" in values:
            values["retry"] = read_retry(values["retry"], reading)
        if "cache" in values:
            values["cache"] = read_cache(values["cache"], reading)
        if node_type not in CALLING_TYPES:
            return
        _take_config_timeout(tree, values, reading)
        if node_type in _ALWAYS_CALLING or "agent_id" in values:
            values.setdefault("timeout", self.timeout)
            values.setdefault("retry", self.retry)


_ALWAYS_CALLING: Final = frozenset({NodeType.PROCESSOR, NodeType.TOOL})
_COMMON: Final = frozenset(key.name for key in NODE_KEYS if len(key.types) == len(NodeType))
_CASES: Final = table(CASE_KEYS)
_TIMEOUT: Final = Key(name="config.timeout", kind=Kind.DURATION, doc="", example="", exclusive=True)


@functools.cache
def _table(node_type: NodeType | None) -> Table:
    return table(keys_of(node_type))


def _id(tree: Tree) -> str | None:
    value = tree.members["id"].value if "id" in tree.members else None
    return value if isinstance(value, str) else None


def _type(tree: Tree, reading: Reading) -> NodeType | None:
    member = tree.members.get("type")
    if member is None or not isinstance(member.value, str):
        return None
    name = member.value
    if name in TYPE_ALIASES:
        return TYPE_ALIASES[name]
    try:
        return NodeType(name)
    except ValueError:
        meant = suggest(name, [*NodeType, *TYPE_ALIASES])
        hint = f"Did you mean `{meant}`?" if meant else f"There are {', '.join(NodeType)}."
        reading.report.add("unknown_type", f"there is no node type `{name[:100]}`", member.position, hint=hint)
        # The rest of the node is read as what was meant, so that its own mistakes are told at once too.
        return TYPE_ALIASES.get(meant) or NodeType(meant) if meant else None


def _read_values(tree: Tree, node_type: NodeType | None, reading: Reading) -> dict[str, Any]:
    elsewhere = functools.partial(_elsewhere, node_type)
    values = read_section(tree, _table(node_type), reading, _called(node_type), elsewhere=elsewhere)
    if node_type is None:
        return {name: value for name, value in values.items() if name in _COMMON}
    return values


def _called(node_type: NodeType | None) -> str:
    if node_type is None:
        return "a node"
    article = "an" if node_type[0] in "aeiou" else "a"
    return f"{article} {node_type} node"


def _elsewhere(node_type: NodeType | None, name: str) -> str | None:
    owners = owners_of(name)
    return f"It belongs to {', '.join(owners)}." if owners and node_type is not None else None


def _case(tree: Tree, reading: Reading) -> dict[str, Any]:
    return read_section(tree, _CASES, reading, "a case") if is_mapping(tree, reading, "a case") else {}


def _take_config_timeout(tree: Tree, values: dict[str, Any], reading: Reading) -> None:
    """The older format's place for a node's timeout."""
    config = tree.members.get("config")
    member = config.members.get("timeout") if config is not None else None
    if member is None or "timeout" in values:
        return
    try:
        values["timeout"] = read_duration(member, _TIMEOUT, reading)
    except Misfit as error:
        reading.report.add(error.code, f"`config.timeout`: {error}", member.position, hint=error.hint)
