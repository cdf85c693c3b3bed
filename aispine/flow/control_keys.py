"""The keys of the nodes that control: choosing, repeating, running in parallel, waiting."""

from __future__ import annotations

from typing import Final

from aispine.flow.keys import Key, Kind
from aispine.flow.model import NodeType

MAX_ITERATIONS: Final = 1_000_000
MAX_CONCURRENCY: Final = 10_000


def _only(*types: NodeType) -> frozenset[NodeType]:
    return frozenset(types)


CHOOSING: Final = (
    Key(
        name="condition",
        kind=Kind.CONDITION,
        types=_only(NodeType.DECISION),
        required=True,
        doc="The question.",
        example="condition: output.confidence >= context.threshold and not output.expired",
    ),
    Key(
        name="then",
        kind=Kind.NODE_REFS,
        aliases=("then_node",),
        types=_only(NodeType.DECISION),
        default=[],
        doc="What runs when the condition holds.",
        example="then: approve",
    ),
    Key(
        name="else",
        kind=Kind.NODE_REFS,
        aliases=("else_node",),
        types=_only(NodeType.DECISION),
        default=[],
        doc="What runs when it does not.",
        example="else: ask_staff",
    ),
    Key(
        name="cases",
        kind=Kind.CASES,
        types=_only(NodeType.SWITCH),
        required=True,
        doc="Questions in order; the first that holds wins.",
        example="cases: [{when: output.kind == 'refund', then: refund}]",
    ),
    Key(
        name="default",
        kind=Kind.NODE_REFS,
        types=_only(NodeType.SWITCH),
        default=[],
        doc="What runs when no case holds.",
        example="default: answer",
    ),
)

REPEATING: Final = (
    Key(
        name="max_iterations",
        kind=Kind.INTEGER,
        types=_only(NodeType.LOOP),
        required=True,
        minimum=1,
        maximum=MAX_ITERATIONS,
        doc="The bound of the loop; at most what the setting `max_iterations` says.",
        example="max_iterations: 10",
    ),
    Key(
        name="until",
        kind=Kind.CONDITION,
        aliases=("until_condition",),
        types=_only(NodeType.LOOP),
        doc="The loop ends when it holds after an iteration.",
        example="until: nodes.check.output.done",
    ),
    Key(
        name="while",
        kind=Kind.CONDITION,
        types=_only(NodeType.LOOP),
        doc="The loop ends when it does not hold before an iteration.",
        example="while: context.page != null",
    ),
    Key(
        name="delay",
        kind=Kind.DURATION,
        types=_only(NodeType.LOOP),
        default=0,
        doc="The time between two iterations.",
        example="delay: 5s",
    ),
    Key(
        name="on_exhausted",
        kind=Kind.CHOICE,
        choices=("fail", "continue"),
        default="fail",
        types=_only(NodeType.LOOP),
        doc="What happens when the iterations run out before `until` holds.",
        example="on_exhausted: continue",
    ),
    Key(
        name="items",
        kind=Kind.SELECTION,
        types=_only(NodeType.MAP),
        required=True,
        doc="The list whose items the body runs for, as JMESPath; known only at run time.",
        example="items: output.pages",
    ),
    Key(
        name="max_concurrency",
        kind=Kind.INTEGER,
        types=_only(NodeType.MAP),
        minimum=1,
        maximum=MAX_CONCURRENCY,
        doc="How many items may run at the same time.",
        example="max_concurrency: 20",
    ),
    Key(
        name="on_item_error",
        kind=Kind.CHOICE,
        choices=("fail", "continue"),
        default="fail",
        types=_only(NodeType.MAP),
        doc="What the failure of one item means for the map.",
        example="on_item_error: continue",
    ),
    Key(
        name="complete_when",
        kind=Kind.CONDITION,
        types=_only(NodeType.MAP),
        doc="The map ends early when it holds.",
        example="complete_when: len(output) >= 3",
    ),
    Key(
        name="body",
        kind=Kind.NODES,
        aliases=("loop_body",),
        types=_only(NodeType.LOOP, NodeType.MAP),
        required=True,
        doc="The nodes that run again and again. They see `iteration` and `loop_output`, or `item` and `index`.",
        example="body: [{id: check, type: processor, agent_id: checker}]",
    ),
)

PARALLEL: Final = (
    Key(
        name="branches",
        kind=Kind.BRANCHES,
        types=_only(NodeType.FORK),
        required=True,
        doc="Named lists of nodes that run at the same time.",
        example="branches: {fast: [{id: a, type: processor, agent_id: echo}]}",
    ),
    Key(
        name="strategy",
        kind=Kind.CHOICE,
        choices=("all_complete", "first_complete", "n_of_m", "best_result"),
        default="all_complete",
        types=_only(NodeType.JOIN),
        doc="When the join is done, and with what.",
        example="strategy: first_complete",
    ),
    Key(
        name="n",
        kind=Kind.INTEGER,
        types=_only(NodeType.JOIN),
        minimum=1,
        doc="How many branches `n_of_m` waits for.",
        example="n: 2",
    ),
    Key(
        name="score",
        kind=Kind.SELECTION,
        types=_only(NodeType.JOIN),
        doc="What `best_result` compares: the branch with the highest number wins.",
        example="score: output.confidence",
    ),
    Key(
        name="cancel_rest",
        kind=Kind.BOOLEAN,
        types=_only(NodeType.JOIN),
        default=False,
        doc="Whether the branches that are no longer needed are cancelled.",
        example="cancel_rest: true",
    ),
)

WAITING: Final = (
    Key(
        name="flow_id",
        kind=Kind.FLOW_ID,
        types=_only(NodeType.SUBFLOW),
        required=True,
        doc="The flow that runs as a child execution.",
        example="flow_id: credit_analysis",
    ),
    Key(
        name="version",
        kind=Kind.RANGE,
        types=_only(NodeType.SUBFLOW),
        default="*",
        doc="The range of versions of the child's flow.",
        example="version: ^1.0",
    ),
    Key(
        name="seconds",
        kind=Kind.DURATION_TEMPLATE,
        types=_only(NodeType.WAIT),
        doc="How long to wait.",
        example="seconds: 15m",
    ),
    Key(
        name="until",
        kind=Kind.TIME_TEMPLATE,
        types=_only(NodeType.WAIT),
        doc="Until when to wait, as an ISO 8601 timestamp.",
        example="until: ${input.check_in}",
    ),
    Key(
        name="signal",
        kind=Kind.TEXT,
        types=_only(NodeType.WAIT),
        doc="The signal to wait for.",
        example="signal: payment_received",
    ),
    Key(
        name="on_timeout",
        kind=Kind.CHOICE,
        choices=("fail", "continue"),
        default="fail",
        types=_only(NodeType.WAIT),
        doc="What happens when the signal does not come in time.",
        example="on_timeout: continue",
    ),
    Key(
        name="form",
        kind=Kind.SCHEMA,
        types=_only(NodeType.APPROVAL),
        doc="JSON Schema of the answer.",
        example="form: {type: object, required: [approved]}",
    ),
    Key(
        name="on_timeout",
        kind=Kind.CHOICE,
        choices=("fail", "reject"),
        default="fail",
        types=_only(NodeType.APPROVAL),
        doc="What happens without an answer: `reject` completes with `approved: false`, `fail` takes `on_error`.",
        example="on_timeout: reject",
    ),
)
