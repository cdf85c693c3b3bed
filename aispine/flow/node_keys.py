"""Every key of a node, and which types of nodes take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from aispine.flow.control_keys import CHOOSING, PARALLEL, REPEATING, WAITING
from aispine.flow.keys import Key, Kind
from aispine.flow.model import NodeType

AGENT_TYPES: Final = frozenset({NodeType.INPUT, NodeType.PROCESSOR, NodeType.OUTPUT})
CALLING_TYPES: Final = AGENT_TYPES | {NodeType.TOOL}
TIMED_TYPES: Final = CALLING_TYPES | {NodeType.SUBFLOW, NodeType.WAIT, NodeType.APPROVAL}
MAPPING_TYPES: Final = CALLING_TYPES | {NodeType.TRANSFORM, NodeType.SUBFLOW, NodeType.APPROVAL}
TYPE_ALIASES: Final[Mapping[str, NodeType]] = MappingProxyType(
    {"agent": NodeType.PROCESSOR, "conditional": NodeType.DECISION}
)


_EVERY_NODE: Final = (
    Key(
        name="id",
        kind=Kind.NODE_ID,
        required=True,
        doc="The name of the node, unique in the whole file, bodies included: a letter or `_`, then letters, digits, "
        "`_` and `-`.",
        example="id: read_document",
    ),
    Key(
        name="type",
        kind=Kind.NODE_TYPE,
        required=True,
        doc="What the node does. `agent` is read as `processor`, `conditional` as `decision`.",
        example="type: processor",
    ),
    Key(name="name", kind=Kind.TEXT, doc="The title that people read.", example="name: Read the document"),
    Key(name="description", kind=Kind.TEXT, doc="What the node is for.", example="description: OCR of the passport."),
    Key(
        name="metadata",
        kind=Kind.OBJECT,
        default={},
        doc="Anything of your own; it is kept and ignored.",
        example="metadata: {team: front-desk}",
    ),
    Key(
        name="depends_on",
        kind=Kind.NODE_REFS,
        default=[],
        doc="The nodes that must have ended before this one runs, in any order.",
        example="depends_on: [receive]",
    ),
    Key(
        name="conditions",
        kind=Kind.CONDITIONS,
        default=[],
        doc="Guards: the node is skipped unless all hold. Each is a condition or `{field, operator, value}`.",
        example="conditions: [input.amount > 1000]",
    ),
    Key(
        name="config",
        kind=Kind.CONFIG,
        default={},
        doc="Handed to the agent as it is, with `${secrets.NAME}` filled in. `config.timeout` is the node's timeout "
        "where `timeout` says nothing.",
        example="config: {risk_threshold: 0.7}",
    ),
    Key(
        name="set",
        kind=Kind.TEMPLATES,
        default={},
        doc="Context variables that the node changes when it ends; here `output` is its own.",
        example='set: {guest: "${output.fields.name}"}',
    ),
    Key(
        name="on_error",
        kind=Kind.NODE_REF,
        choices=("continue", "fail"),
        default="fail",
        doc="What happens when the node fails: a node to run, which sees `error`, or `continue`, or `fail`.",
        example="on_error: ask_staff",
    ),
    Key(
        name="error_output",
        kind=Kind.TEXT,
        doc="The context variable that gets the error when the node fails, for whatever comes later.",
        example="error_output: read_error",
    ),
)

_CALLING: Final = (
    Key(
        name="agent_id",
        kind=Kind.AGENT,
        aliases=("agent",),
        types=AGENT_TYPES,
        required_types=frozenset({NodeType.PROCESSOR}),
        doc="The agent that is called, with a range of versions if need be. A `processor` needs one.",
        example="agent_id: ocr_structured@^1.0",
    ),
    Key(
        name="tool_id",
        kind=Kind.TEXT,
        aliases=("tool",),
        types=frozenset({NodeType.TOOL}),
        required=True,
        doc="The registered tool that is called.",
        example="tool_id: send_email",
    ),
    Key(
        name="input",
        kind=Kind.TEMPLATE,
        types=MAPPING_TYPES,
        doc="What the node works on; the output of what it depends on when absent.",
        example='input: {file: "${input.document}"}',
    ),
    Key(
        name="output",
        kind=Kind.TEMPLATE,
        types=frozenset({NodeType.TRANSFORM, NodeType.OUTPUT}),
        doc="What the node yields; its input when absent.",
        example='output: {total: "${sum(output.prices)}"}',
    ),
    Key(
        name="timeout",
        kind=Kind.DURATION,
        types=TIMED_TYPES,
        exclusive=True,
        doc="The time that one attempt may take; of `wait` and `approval` the time that they wait.",
        example="timeout: 30s",
    ),
    Key(
        name="retry",
        kind=Kind.RETRY,
        aliases=("retry_policy",),
        types=CALLING_TYPES,
        doc="When a failed attempt is tried again.",
        example="retry: {max_attempts: 4, backoff: exponential}",
    ),
    Key(
        name="on_unready",
        kind=Kind.CHOICE,
        choices=("fail", "wait"),
        types=AGENT_TYPES,
        default="fail",
        doc="What an attempt does whose agent is suspended or not ready: `fail` with `unavailable`, which `retry` may "
        "try again, or `wait` until it is ready, without a worker and without counting as an attempt.",
        example="on_unready: wait",
    ),
    Key(
        name="cache",
        kind=Kind.CACHE,
        types=AGENT_TYPES,
        doc="Whether an answer is kept for the next node that asks the same version of the agent the same.",
        example="cache: {ttl: 1h}",
    ),
    Key(
        name="mutex",
        kind=Kind.TEXT,
        doc="Nodes of an execution with the same mutex never run at the same time; of a loop, map or fork, all of it.",
        example="mutex: reception_desk",
    ),
    Key(
        name="terminate",
        kind=Kind.BOOLEAN,
        types=frozenset({NodeType.OUTPUT}),
        default=False,
        doc="Whether the execution ends here at once, with this output; what is still open is cancelled.",
        example="terminate: true",
    ),
    Key(
        name="pool",
        kind=Kind.CHOICE,
        choices=("quick", "cpu", "io"),
        types=AGENT_TYPES,
        doc="Where the agent runs, over what its agent.yaml says.",
        example="pool: io",
    ),
)

NODE_KEYS: Final = (*_EVERY_NODE, *_CALLING, *CHOOSING, *REPEATING, *PARALLEL, *WAITING)


def keys_of(node_type: NodeType | None) -> tuple[Key, ...]:
    """The keys that a node of this type takes; when the type is not known, every key with any value."""
    if node_type is None:
        return tuple(key if len(key.types) == len(NodeType) else _unchecked(key) for key in NODE_KEYS)
    return tuple(
        replace(key, required=key.required or node_type in key.required_types)
        for key in NODE_KEYS
        if node_type in key.types
    )


def owners_of(name: str) -> list[NodeType]:
    """The types of nodes that take a key, by its name or alias."""
    return sorted({owner for key in NODE_KEYS if name in {key.name, *key.aliases} for owner in key.types})


def _unchecked(key: Key) -> Key:
    return replace(key, kind=Kind.ANY, required=False)
