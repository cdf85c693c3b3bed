"""Every key of a flow file, once: the validator, the published JSON Schema and the reference all read this table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aispine.flow.model import NodeType
from aispine.flow.retry import CODES


class Kind(StrEnum):
    """What the value of a key is."""

    TEXT = "text"
    FLOW_ID = "flow id"
    NODE_ID = "node id"
    NODE_TYPE = "node type"
    NODE_REF = "id of a node"
    NODE_REFS = "ids of nodes"
    AGENT = "agent@range"
    VERSION = "version"
    RANGE = "range of versions"
    CHOICE = "one of"
    CHOICES = "some of"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DURATION = "duration"
    DURATION_TEMPLATE = "duration or template"
    TIME_TEMPLATE = "timestamp or template"
    CONDITION = "condition"
    CONDITIONS = "conditions"
    SELECTION = "selection"
    TEMPLATE = "any value with ${...}"
    ANY = "any value"
    TEMPLATES = "mapping of names to values with ${...}"
    OBJECT = "mapping"
    CONFIG = "mapping with ${secrets...}"
    SCHEMA = "JSON Schema"
    NODES = "nodes"
    BRANCHES = "mapping of names to nodes"
    CASES = "cases"
    RETRY = "retry policy"
    CACHE = "cache"
    DEFAULTS = "defaults"
    SCHEDULE = "schedule"
    CRON = "cron expression"
    TIMEZONE = "time zone"
    SECTION = "section"
    SECTIONS = "sections"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Key:
    """One key: what it takes, where it belongs and what it says when absent."""

    name: str
    kind: Kind
    doc: str
    example: str
    default: Any = None
    required: bool = False
    aliases: tuple[str, ...] = ()
    types: frozenset[NodeType] = frozenset(NodeType)
    required_types: frozenset[NodeType] = frozenset()
    """The types of nodes that cannot do without it; `required` means all that take it."""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    """The minimum itself is not allowed."""


MAX_ATTEMPTS: Final = 100

FLOW_KEYS: Final = (
    Key(
        name="flow_id",
        kind=Kind.FLOW_ID,
        required=True,
        doc="The name of the flow: letters, digits, `-` and `_`. `-` and `_` are equal when a flow is looked up.",
        example="flow_id: credit_analysis",
    ),
    Key(
        name="version",
        kind=Kind.VERSION,
        required=True,
        doc="The semantic version of this definition. What is deployed under a version never changes.",
        example='version: "1.2.0"',
    ),
    Key(
        name="name",
        kind=Kind.TEXT,
        doc="The title that people read; the flow_id when absent.",
        example="name: Credit analysis",
    ),
    Key(name="description", kind=Kind.TEXT, doc="What the flow is for.", example="description: Scores an application."),
    Key(
        name="metadata",
        kind=Kind.OBJECT,
        default={},
        doc="Anything of your own; it is kept and ignored.",
        example="metadata: {owner: risk-team}",
    ),
    Key(
        name="input_schema",
        kind=Kind.SCHEMA,
        doc="JSON Schema (2020-12) of the input. An input that does not fit is refused before anything starts.",
        example="input_schema: {type: object, required: [amount]}",
    ),
    Key(
        name="context",
        kind=Kind.OBJECT,
        default={},
        doc="Variables that all nodes share, with their first values; nodes change them by `set`.",
        example="context: {threshold: 0.85}",
    ),
    Key(
        name="defaults",
        kind=Kind.DEFAULTS,
        default={},
        doc="`timeout` and `retry` of the nodes that call an agent or a tool and say nothing themselves.",
        example="defaults: {timeout: 30s, retry: {max_attempts: 3}}",
    ),
    Key(
        name="timeout",
        kind=Kind.DURATION,
        exclusive=True,
        doc="The time that a whole execution may take, waits included and pauses not.",
        example="timeout: 2h",
    ),
    Key(
        name="on_error",
        kind=Kind.NODE_REF,
        doc="The node that runs when a failure is handled by nobody else; it sees `error`.",
        example="on_error: notify_staff",
    ),
    Key(
        name="on_failure",
        kind=Kind.CHOICE,
        choices=("fail", "finish"),
        default="fail",
        doc="`fail` cancels the siblings of an unhandled failure at once, `finish` lets them end first.",
        example="on_failure: finish",
    ),
    Key(
        name="output",
        kind=Kind.TEMPLATE,
        doc="The output of an execution; the outputs of the last nodes when absent.",
        example="output: ${nodes.score.output}",
    ),
    Key(
        name="entry_point",
        kind=Kind.NODE_REF,
        doc="Where an older file starts. Checked to exist; `depends_on` decides what runs.",
        example="entry_point: receive",
    ),
    Key(
        name="exit_points",
        kind=Kind.NODE_REFS,
        default=[],
        doc="Where an older file ends. Checked to exist; `depends_on` decides what runs.",
        example="exit_points: [result]",
    ),
    Key(
        name="schedule",
        kind=Kind.SCHEDULE,
        doc="When the flow starts by itself; what the newest version says holds.",
        example='schedule: {cron: "0 8 * * MON-FRI", timezone: Europe/Madrid}',
    ),
    Key(
        name="nodes",
        kind=Kind.NODES,
        required=True,
        doc="The nodes of the flow, in any order.",
        example="nodes: [{id: receive, type: input}]",
    ),
)

RETRY_KEYS: Final = (
    Key(
        name="max_attempts",
        kind=Kind.INTEGER,
        default=3,
        minimum=1,
        maximum=MAX_ATTEMPTS,
        doc="How often to try, the first time included.",
        example="max_attempts: 4",
    ),
    Key(
        name="backoff",
        kind=Kind.CHOICE,
        choices=("fixed", "linear", "exponential"),
        default="exponential",
        doc="How the delay grows from attempt to attempt.",
        example="backoff: linear",
    ),
    Key(
        name="initial_delay",
        kind=Kind.DURATION,
        default=1,
        doc="The delay after the first attempt.",
        example="initial_delay: 500ms",
    ),
    Key(
        name="multiplier",
        kind=Kind.NUMBER,
        default=2,
        minimum=1,
        maximum=100,
        doc="What each delay is multiplied by when it grows exponentially.",
        example="multiplier: 3",
    ),
    Key(
        name="max_delay",
        kind=Kind.DURATION,
        default=60,
        doc="The longest delay.",
        example="max_delay: 5m",
    ),
    Key(
        name="jitter",
        kind=Kind.CHOICE,
        choices=("none", "full"),
        default="full",
        doc="`full` takes a random part of the delay, so that many nodes do not try again at the same instant.",
        example="jitter: none",
    ),
    Key(
        name="max_elapsed",
        kind=Kind.DURATION,
        exclusive=True,
        doc="No attempt starts later than this after the first one started.",
        example="max_elapsed: 10m",
    ),
    Key(
        name="retry_on",
        kind=Kind.CHOICES,
        choices=CODES,
        default=["timeout", "unavailable", "rate_limited"],
        doc="The failures that are tried again.",
        example="retry_on: [timeout, unavailable, agent_error]",
    ),
)

CACHE_KEYS: Final = (
    Key(
        name="ttl",
        kind=Kind.DURATION,
        required=True,
        exclusive=True,
        doc="How long an answer is kept.",
        example="ttl: 1h",
    ),
)

DEFAULTS_KEYS: Final = (
    Key(
        name="timeout",
        kind=Kind.DURATION,
        exclusive=True,
        doc="The time that one attempt may take.",
        example="timeout: 30s",
    ),
    Key(
        name="retry",
        kind=Kind.RETRY,
        aliases=("retry_policy",),
        doc="When a failed attempt is tried again.",
        example="retry: {max_attempts: 3}",
    ),
)

CASE_KEYS: Final = (
    Key(
        name="when",
        kind=Kind.CONDITION,
        required=True,
        doc="The question.",
        example="when: output.kind == 'refund'",
    ),
    Key(
        name="then",
        kind=Kind.NODE_REFS,
        aliases=("then_node",),
        required=True,
        doc="What runs when it holds.",
        example="then: refund",
    ),
)
