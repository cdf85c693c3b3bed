"""The shapes of requests and answers: what marshmallow reads, writes and documents."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from aispine.agent.definition import POOLS
from aispine.flow.status import ExecutionStatus, NodeStatus

LARGEST_SEQ: Final = 2**31 - 1
_LABEL_KEY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?")
_MAX_LABELS: Final = 16
_EXECUTION_STATUSES: Final = [status.value for status in ExecutionStatus]
_NODE_STATUSES: Final = [status.value for status in NodeStatus]


def timestamp(moment: datetime | None) -> str | None:
    """UTC as ISO 8601 with microseconds and a Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Timestamp(fields.String):
    """A moment; written in UTC."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        return timestamp(value)


def moment(description: str, *, allow_none: bool = False) -> Timestamp:
    return Timestamp(allow_none=allow_none, metadata={"format": "date-time", "description": description})


def _json(description: str, **options: Any) -> fields.Raw:
    return fields.Raw(allow_none=True, metadata={"description": description}, **options)


def _text(description: str, **options: Any) -> fields.String:
    return fields.String(metadata={"description": description}, **options)


def _check_labels(labels: dict[str, str]) -> None:
    if len(labels) > _MAX_LABELS:
        raise ValidationError(f"There are {len(labels)} labels; the limit is {_MAX_LABELS}.")
    for key in labels:
        if not _LABEL_KEY.fullmatch(key):
            raise ValidationError(
                f"`{key[:63]}` is not a label key: 1-63 letters, digits and `_ . / -` inside, as in `team/name`."
            )


class Problem(Schema):
    """An error (RFC 9457); `code` is stable, `request_id` finds it in the log."""

    type = _text("A URN made of the code.")
    title = _text("What kind of problem it is.")
    status = fields.Integer()
    detail = _text("What is wrong here.")
    code = _text("The stable code.")
    instance = _text("The path that was asked for.")
    request_id = _text("The request's id, as in `X-Request-Id`.")
    field = _text("The field that is wrong.")
    hint = _text("What to do.")
    errors = fields.List(fields.Dict(), metadata={"description": "Each problem, where there are several."})


class PageQuery(Schema):
    cursor = _text("`next_cursor` of the page before.", validate=validate.Length(1, 500))
    limit = fields.Integer(
        load_default=50, strict=False, validate=validate.Range(1, 200), metadata={"description": "How many at most."}
    )


class Health(Schema):
    status = _text("`ok`, or `degraded` when a part does not answer.")
    version = _text("The version of AI Spine.")
    uptime_seconds = fields.Float()
    time = moment("The server's time.")
    parts = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "With `deep=1` alone."})


class HealthQuery(Schema):
    deep = fields.Boolean(load_default=False, metadata={"description": "Ask PostgreSQL and Redis too."})


class FlowFileQuery(Schema):
    file = _text("What problems call the file.", validate=validate.Length(1, 255))


class FlowSummary(Schema):
    flow_id = _text("The flow's id.")
    name = _text("Its name.")
    description = _text("Its description.", allow_none=True)
    version = _text("Its highest version.")
    created_at = moment("When it was first deployed.")
    updated_at = moment("When a version was last added.")


class FlowNode(Schema):
    """A node of a flow, in short."""

    id = _text("The node's id.")
    type = _text("What it does.")
    name = _text("Its name.", allow_none=True)
    agent_id = _text("The agent that it calls.", allow_none=True)
    agent_version = _text("The range of the agent's versions.")
    depends_on = fields.List(fields.String())


class FlowVersionSummary(Schema):
    flow_id = _text("The flow's id.")
    version = _text("The version.")
    name = _text("The flow's name.")
    content_hash = _text("SHA-256 of what the file says.")
    created_at = moment("When it was deployed.")


class FlowVersion(FlowVersionSummary):
    source = _text("The file as it was deployed.")
    input_schema = _json("The JSON Schema of the input.")
    nodes = fields.List(fields.Nested(FlowNode))


class Flow(FlowSummary):
    source = _text("The file of the highest version as it was deployed.")
    input_schema = _json("The JSON Schema of the input.")
    nodes = fields.List(fields.Nested(FlowNode))


class Deployed(FlowVersionSummary):
    created = fields.Boolean(metadata={"description": "False when this version was there before, with this content."})


class FlowPage(Schema):
    data = fields.List(fields.Nested(FlowSummary))
    next_cursor = _text("Brings the next page.", allow_none=True)


class FlowVersionPage(Schema):
    data = fields.List(fields.Nested(FlowVersionSummary))
    next_cursor = _text("Always null: all versions are on one page.", allow_none=True)


class FlowProblem(Schema):
    """One mistake in a flow file."""

    code = _text("The stable code.")
    message = _text("What is wrong.")
    file = _text("The file.")
    line = fields.Integer(allow_none=True)
    column = fields.Integer(allow_none=True)
    node = _text("The node's id.", allow_none=True)
    hint = _text("What to do.", allow_none=True)


class Validation(Schema):
    valid = fields.Boolean(metadata={"description": "True when the file can be deployed."})
    flow_id = _text("The flow's id.", allow_none=True)
    version = _text("The version.", allow_none=True)
    problems = fields.List(fields.Nested(FlowProblem))


class DiffQuery(Schema):
    to = _text("The version to compare with; the highest unless given.", validate=validate.Length(1, 100))


class Diff(Schema):
    flow_id = _text("The flow's id.")
    old = _text("The version compared.")
    new = _text("The version compared with.")
    diff = _text("The unified difference; empty when there is none.")


class ExecuteRequest(Schema):
    flow_id = _text("The flow, in either spelling of `-` and `_`.", required=True, validate=validate.Length(1, 200))
    version = _text(
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
    correlation_id = _text(
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
    execution_id = _text("The execution's id.")
    flow_id = _text("The flow's id.")
    version = _text("The flow's version.")
    status = fields.String(validate=validate.OneOf(_EXECUTION_STATUSES))
    created_at = moment("When it was asked for.")
    started_at = moment("When it began.", allow_none=True)
    finished_at = moment("When it ended.", allow_none=True)
    error = _json("Why it failed.")
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    correlation_id = _text("The id that the client gave.", allow_none=True)
    metrics = fields.Nested(Metrics)


class Execution(ExecutionSummary):
    input = _json("What went in.")
    output = _json("What came out.")


class ExecutionPage(Schema):
    data = fields.List(fields.Nested(ExecutionSummary))
    next_cursor = _text("Brings the next page.", allow_none=True)


class ExecutionQuery(PageQuery):
    status = fields.List(
        fields.String(validate=validate.OneOf(_EXECUTION_STATUSES)),
        load_default=list,
        metadata={"description": "One or several statuses."},
    )
    flow_id = _text("The flow.", validate=validate.Length(1, 200))
    label = fields.List(
        fields.String(validate=validate.Regexp(r"[^=]+=", error="Write a label as key=value.")),
        load_default=list,
        metadata={"description": "`key=value`, once or several times; all must match."},
    )
    correlation_id = _text("The id that the client gave.", validate=validate.Length(1, 255))


class CancelRequest(Schema):
    reason = _text(
        "Why; shown as the error of the execution.",
        allow_none=True,
        load_default=None,
        validate=validate.Length(0, 1000),
    )


class Node(Schema):
    """A node inside an execution; one that was never touched has no times."""

    node_id = _text("The node's id in the flow.")
    path = _text("Its address inside the execution.")
    type = _text("What it does.", allow_none=True)
    status = fields.String(validate=validate.OneOf(_NODE_STATUSES))
    attempts = fields.Integer()
    input = _json("What went in.")
    output = _json("What came out.")
    message = _text("What the agent says to people.", allow_none=True)
    metadata = _json("What the agent says about its work.")
    error = _json("Why it failed.")
    queue = _text("The queue that its message went to.", allow_none=True)
    queued_at = moment("When it was queued last.", allow_none=True)
    started_at = moment("When its last attempt began.", allow_none=True)
    finished_at = moment("When it ended.", allow_none=True)


class Results(Schema):
    execution_id = _text("The execution's id.")
    status = fields.String(validate=validate.OneOf(_EXECUTION_STATUSES))
    data = fields.List(fields.Nested(Node))
    next_cursor = _text("Always null: all nodes are on one page.", allow_none=True)


class EventSchema(Schema):
    """A fact in an execution's log."""

    seq = fields.Integer(metadata={"description": "Counts from 1 inside the execution, without a gap."})
    type = _text("What has happened.")
    path = _text("The node, where it is about one.", allow_none=True)
    data = fields.Dict()
    created_at = moment("When it happened.")


class EventQuery(Schema):
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
    next_cursor = _text("The last `seq` when more events are there, else null.", allow_none=True)


class StreamQuery(Schema):
    last_event_id = _text("As the header `Last-Event-ID`.")


class LogQuery(Schema):
    node = _text("One node, wherever in the execution it ran.", validate=validate.Length(1, 200))
    path = _text("One path.", validate=validate.Length(1, 1000))


class Log(Schema):
    path = _text("The node's address.")
    attempt = fields.Integer()
    text = _text("What the agent printed and logged.")
    created_at = moment("When the attempt ended.")


class LogPage(Schema):
    data = fields.List(fields.Nested(Log))
    next_cursor = _text("Always null: all logs are on one page.", allow_none=True)


class AgentQuery(PageQuery):
    kind = _text("How it is called.", validate=validate.OneOf(["http", "python"]))
    pool = _text("Where it runs.", validate=validate.OneOf(POOLS))
    official = fields.Boolean(metadata={"description": "Those of the platform, or the tenant's own."})
    capability = fields.List(
        fields.String(), load_default=list, metadata={"description": "What it can do; several must all be there."}
    )


class Agent(Schema):
    agent_id = _text("The agent's id.")
    version = _text("Its newest version.")
    versions = fields.List(fields.String(), metadata={"description": "All that can be asked for."})
    kind = _text("How it is called.", validate=validate.OneOf(["http", "python"]))
    pool = _text("Where it runs.", validate=validate.OneOf(POOLS))
    name = _text("Its name.")
    description = _text("What it does.", allow_none=True)
    capabilities = fields.List(fields.String())
    endpoint = _text("Where it answers, when over HTTP.", allow_none=True)
    timeout = fields.Float(allow_none=True, metadata={"description": "Seconds for one call."})
    rate_limit = fields.Dict()
    input_schema = _json("The JSON Schema of its input.")
    output_schema = _json("The JSON Schema of its output.")
    official = fields.Boolean(metadata={"description": "True for the platform's own."})
    has_api_key = fields.Boolean(metadata={"description": "The key itself is never shown."})
    created_at = _text("When it was registered.")


class AgentPage(Schema):
    data = fields.List(fields.Nested(Agent))
    next_cursor = _text("Brings the next page.", allow_none=True)


class AgentHealth(Schema):
    agent_id = _text("The agent's id.")
    version = _text("The version that answers.")
    endpoint = _text("Where it answers, when over HTTP.", allow_none=True)
    ready = fields.Boolean()
    capabilities = fields.List(fields.String())
    rate_limit = fields.Dict()
    error = fields.Dict(allow_none=True, metadata={"description": "Why it is not well: `code` and `message`."})
