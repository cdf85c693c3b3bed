"""Executions, their nodes, events and logs."""

from __future__ import annotations

import re
from typing import Final

from marshmallow import Schema, ValidationError, fields, validate

from aispine.flow.status import ExecutionStatus, NodeStatus
from api.schemas.common import PageQuery, moment, text, value

LARGEST_SEQ: Final = 2**31 - 1
_LABEL_KEY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?")
_MAX_LABELS: Final = 16
_EXECUTION_STATUSES: Final = [status.value for status in ExecutionStatus]
_WAITED_FOR: Final = [
    "nodes",
    "worker",
    "turn",
    "slot",
    "retry",
    "resume",
    "timer",
    "signal",
    "approval",
    "mutex",
    "child",
    "callback",
]
_NODE_STATUSES: Final = [status.value for status in NodeStatus]


def _check_labels(labels: dict[str, str]) -> None:
    if len(labels) > _MAX_LABELS:
        raise ValidationError(f"There are {len(labels)} labels; the limit is {_MAX_LABELS}.")
    for key in labels:
        if not _LABEL_KEY.fullmatch(key):
            raise ValidationError(
                f"`{key[:63]}` is not a label key: 1-63 letters, digits and `_ . / -` inside, as in `team/name`."
            )


class ExecuteRequest(Schema):
    flow_id = text("The flow, in either spelling of `-` and `_`.", required=True, validate=validate.Length(1, 200))
    version = text(
        "A version or a range such as `^1.2`; the highest unless given.",
        allow_none=True,
        load_default=None,
        validate=validate.Length(1, 100),
    )
    input_data = fields.Dict(
        keys=fields.String(), load_default=dict, metadata={"description": "The input; it must fit `input_schema`."}
    )
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.Length(0, 255)),
        load_default=dict,
        validate=_check_labels,
        metadata={"description": "Up to 16 texts to find the execution by."},
    )
    correlation_id = text(
        "An id of yours to find the execution by.",
        allow_none=True,
        load_default=None,
        validate=validate.Length(1, 255),
    )


class Metrics(Schema):
    duration_ms = fields.Integer(allow_none=True)
    cost_usd = fields.Float(allow_none=True)
    token_usage = fields.Integer(allow_none=True)


class ExecutionSummary(Schema):
    execution_id = text("The execution's id.")
    flow_id = text("The flow's id.")
    version = text("The flow's version.")
    status = fields.String(validate=validate.OneOf(_EXECUTION_STATUSES))
    created_at = moment("When it was asked for.")
    started_at = moment("When it began.", allow_none=True)
    finished_at = moment("When it ended.", allow_none=True)
    error = value("Why it failed.")
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    correlation_id = text("The id that the client gave.", allow_none=True)
    parent_execution_id = text("The execution whose subflow it is.", allow_none=True)
    parent_path = text("The node there that waits for it.", allow_none=True)
    rerun_of = text("The execution that it runs once more.", allow_none=True)
    schedule_id = text("The schedule that started it.", allow_none=True)
    paused_at = moment("Since when it is paused.", allow_none=True)
    metrics = fields.Nested(Metrics)


class Execution(ExecutionSummary):
    input = value("What went in.")
    output = value("What came out.")


class ExecutionPage(Schema):
    data = fields.List(fields.Nested(ExecutionSummary))
    next_cursor = text("Brings the next page.", allow_none=True)


class ExecutionQuery(PageQuery):
    status = fields.List(
        fields.String(validate=validate.OneOf(_EXECUTION_STATUSES)),
        load_default=list,
        metadata={"description": "One or several statuses."},
    )
    flow_id = text("The flow.", validate=validate.Length(1, 200))
    label = fields.List(
        fields.String(validate=validate.Regexp(r"[^=]+=", error="Write a label as key=value.")),
        load_default=list,
        metadata={"description": "`key=value`, once or several times; all must match."},
    )
    correlation_id = text("The id that the client gave.", validate=validate.Length(1, 255))
    parent = fields.UUID(metadata={"description": "The execution whose subflows are wanted."})
    schedule_id = fields.UUID(metadata={"description": "The schedule that started them."})


class WaitingFor(Schema):
    """What a node waits for."""

    kind = fields.String(validate=validate.OneOf(_WAITED_FOR))
    name = text("The name of the signal or mutex, or of the agent that has no free slot.", allow_none=True)
    execution_id = text("The child execution of a subflow.", allow_none=True)
    status = text("The child execution's status.", allow_none=True)
    due_at = moment("When the waiting ends of itself: a timer comes, a time is over.", allow_none=True)
    nodes = fields.List(fields.String(), metadata={"description": "The paths whose ends are awaited."})
    queue = text("The queue that holds the node's message.", allow_none=True)
    ahead = fields.Integer(
        allow_none=True,
        metadata={"description": "How many messages, or calls of its agent, wait before it, at most."},
    )
    held_by = text("The path that holds the mutex.", allow_none=True)


class Node(Schema):
    """A node or frame inside an execution; one that was never touched has no times."""

    node_id = text("The node's id in the flow.")
    path = text("Its address inside the execution.")
    type = text("What it does; a frame is an `item`, `iteration` or `branch`.", allow_none=True)
    status = fields.String(validate=validate.OneOf(_NODE_STATUSES))
    attempts = fields.Integer()
    input = value("What went in.")
    output = value("What came out.")
    message = text("What the agent says to people.", allow_none=True)
    metadata = value("What the agent says about its work.")
    error = value("Why it failed.")
    reason = text("Why it does not run, or where it does; null once it has ended.", allow_none=True)
    waiting_for = fields.Nested(WaitingFor, allow_none=True)
    queue = text("The queue that its message went to.", allow_none=True)
    queued_at = moment("When it was queued last.", allow_none=True)
    started_at = moment("When its last attempt began.", allow_none=True)
    finished_at = moment("When it ended.", allow_none=True)


class Results(Schema):
    execution_id = text("The execution's id.")
    status = fields.String(validate=validate.OneOf(_EXECUTION_STATUSES))
    data = fields.List(fields.Nested(Node))
    next_cursor = text("Always null: all nodes are on one page.", allow_none=True)


class EventSchema(Schema):
    """A fact in an execution's log."""

    seq = fields.Integer(metadata={"description": "Counts from 1 inside the execution, without a gap."})
    type = text("What has happened.")
    path = text("The node, where it is about one.", allow_none=True)
    data = fields.Dict()
    created_at = moment("When it happened.")


class SensitiveQuery(Schema):
    show_sensitive = fields.Boolean(
        load_default=False,
        metadata={"description": "Show what schemas mark as `x-sensitive`; needs the permission `sensitive:read`."},
    )


class EventQuery(SensitiveQuery):
    cursor = fields.Integer(
        load_default=0,
        validate=validate.Range(0, LARGEST_SEQ),
        metadata={"description": "The `seq` after which the page begins."},
    )
    limit = fields.Integer(
        load_default=50, validate=validate.Range(1, 200), metadata={"description": "How many at most."}
    )


class EventPage(Schema):
    data = fields.List(fields.Nested(EventSchema))
    next_cursor = text("The last `seq` when more events are there, else null.", allow_none=True)


class StreamQuery(SensitiveQuery):
    last_event_id = text("As the header `Last-Event-ID`.")


class LogQuery(SensitiveQuery):
    node = text("One node, wherever in the execution it ran.", validate=validate.Length(1, 200))
    path = text("One path.", validate=validate.Length(1, 1000))


class Log(Schema):
    path = text("The node's address.")
    attempt = fields.Integer()
    text = text("What the agent printed and logged.")
    created_at = moment("When the attempt ended.")


class LogPage(Schema):
    data = fields.List(fields.Nested(Log))
    next_cursor = text("Always null: all logs are on one page.", allow_none=True)
