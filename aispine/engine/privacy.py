"""What of an execution is sensitive, by the schemas of its flow, agents, tools and forms, and hiding it from people.

The engine works with the values as they are: they are hidden when somebody looks.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine import catalog
from aispine.agent import registry
from aispine.engine.node_views import NodeView, with_bodies
from aispine.engine.queueing import agent_reference
from aispine.errors import NotFound
from aispine.events.log import LoggedEvent
from aispine.flow.model import Flow, Node
from aispine.flow.sensitive import MARK, OPEN, Texts, Veil, is_marked, texts
from aispine.store import executions, node_results
from aispine.store.models import ExecutionRow, NodeExecutionRow
from aispine.tool import registry as tools

Schema = Mapping[str, Any] | None
FLAG: Final = "sensitive"
"""What an execution records of an agent or tool whose schemas mark something, so that no other is ever looked up."""
_ALL: Final[Mapping[str, Any]] = {MARK: True}
"""The schemas of an agent that is gone: what it got and said is not known to be harmless."""
_PARENTS: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The schemas with marks: that of the input, and by node id those of what nodes get and yield."""

    input: Schema = None
    nodes: Mapping[str, tuple[Schema, Schema]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    """Hides what is sensitive in the parts of one execution."""

    marks: Marks = field(default_factory=Marks)
    veil: Veil = OPEN
    never: bool = False
    """True when nothing will ever be hidden, whatever the execution still does."""

    def input(self, value: Any) -> Any:
        return self.veil.cover(self.marks.input, value)

    def node(self, node: NodeView) -> NodeView:
        """The node with what it got and yielded covered, and without sensitive texts in what was said about it."""
        taken, yielded = self.marks.nodes.get(node.node_id, (None, None))
        said = {name: self.veil.hide(getattr(node, name)) for name in ("message", "metadata", "error", "reason")}
        outer = self.marks.input if node.type == "input" else None
        return replace(
            node,
            input=self.veil.cover(taken or outer, node.input),
            output=self.veil.cover(yielded or outer, node.output),
            **said,
        )

    def event(self, event: LoggedEvent) -> LoggedEvent:
        return replace(event, data=self.veil.hide(event.data)) if self.veil.known else event


NOTHING: Final = Privacy()
NEVER: Final = Privacy(never=True)


def concerns(flow: Flow, agents: Mapping[str, Mapping[str, Any]]) -> bool:
    """True when something in an execution of the flow with these agents and tools may be sensitive."""
    if any(chosen.get(FLAG) for chosen in agents.values()) or is_marked(flow.input_schema):
        return True
    return any(is_marked(_asked(node)) for node in with_bodies(flow.nodes))


def of(session: Session, execution: ExecutionRow) -> Privacy:
    """What to hide of an execution: what it and those above it mark. Costs a look at the flow where nothing is."""
    marks = _marks(session, execution)
    if marks == NOTHING.marks and execution.parent_execution_id is None:
        return NEVER
    known = _known(session, execution, marks) | _known_above(session, execution)
    return Privacy(marks=marks, veil=Veil(known)) if known or marks != NOTHING.marks else NOTHING


def _known_above(session: Session, execution: ExecutionRow) -> Texts:
    """What a subflow was given may be sensitive there, though its own schema does not say so."""
    known: Texts = frozenset()
    for _ in range(_PARENTS):
        above = execution.parent_execution_id and executions.find(session, execution.parent_execution_id)
        if not above:
            break
        execution = above
        known |= _known(session, execution, _marks(session, execution))
    return known


def _known(session: Session, execution: ExecutionRow, marks: Marks) -> Texts:
    known = _texts(marks.input, execution.input)
    for row in node_results.of_nodes(session, execution.execution_id, marks.nodes) if marks.nodes else ():
        known |= _of_row(row, *marks.nodes[row.node_id])
    return known


def _of_row(row: NodeExecutionRow, taken: Schema, yielded: Schema) -> Texts:
    return _texts(taken, row.input) | _texts(yielded, row.output)


def _texts(schema: Schema, value: Any) -> Texts:
    return frozenset() if schema is None or value is None else texts(schema, value)


def _marks(session: Session, execution: ExecutionRow) -> Marks:
    shape = _shape(session, execution.flow_version_id)
    flagged = {name for name, chosen in execution.agents.items() if chosen.get(FLAG)}
    called = {node.id: _called(session, execution, node) for node in shape.calling if agent_reference(node) in flagged}
    asked = {node.id: _of_asked(node, *called.get(node.id, (None, None))) for node in shape.asking}
    return Marks(input=shape.marks.input, nodes={**shape.marks.nodes, **called, **asked})


def _asked(node: Node) -> Schema:
    """The schema of the fields that a node asks somebody for, or reads out of a document."""
    schema = node.config.get("schema")
    return schema if isinstance(schema, Mapping) else None


def _of_asked(node: Node, taken: Schema, yielded: Schema) -> tuple[Schema, Schema]:
    """As what the agent itself marks, and besides what the node's own schema does."""
    fields = {"properties": {"fields": _asked(node)}}
    return taken, fields if yielded is None else {"allOf": [yielded, fields]}


def _called(session: Session, execution: ExecutionRow, node: Node) -> tuple[Schema, Schema]:
    try:
        found: Any
        if node.tool_id is not None:
            found = tools.resolve(session, execution.tenant_id, [node.tool_id])[node.tool_id]
        else:
            version = execution.agents[agent_reference(node)]["version"]
            found = registry.get(session, execution.tenant_id, str(node.agent_id), version)
    except NotFound:
        return _ALL, _ALL
    return _marked(found.input_schema), _marked(found.output_schema)


def _marked(schema: Schema) -> Schema:
    return schema if is_marked(schema) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """What a flow itself marks, and its nodes that call something."""

    marks: Marks
    calling: Sequence[Node]
    asking: Sequence[Node]


def _shape(session: Session, flow_version_id: int) -> _Shape:
    key = (str(session.get_bind().engine.url), flow_version_id)
    found = _shapes(*key)
    if not found:
        found.append(_read_shape(catalog.load_flow(session, flow_version_id)))
    return found[0]


@functools.lru_cache(maxsize=512)
def _shapes(_database: str, _flow_version_id: int) -> list[_Shape]:
    """A place for each version's shape, which never changes; numbers repeat between databases."""
    return []


def _read_shape(flow: Flow) -> _Shape:
    nodes = tuple(with_bodies(flow.nodes))
    forms = {node.id: _marked(node.approval.form) for node in nodes if node.approval is not None}
    marks = Marks(input=_marked(flow.input_schema), nodes={name: (None, form) for name, form in forms.items() if form})
    calling = tuple(node for node in nodes if node.makes_call)
    return _Shape(marks=marks, calling=calling, asking=tuple(node for node in calling if is_marked(_asked(node))))
