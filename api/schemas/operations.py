"""Operations on executions and approvals: what they take and what is shown."""

from __future__ import annotations

from typing import Final

from marshmallow import INCLUDE, Schema, fields, validate

from api.schemas.common import PageQuery, moment, text, value

MAX_PATH: Final = 1000


class CancelRequest(Schema):
    reason = text(
        "Why; shown as the error of the execution.",
        allow_none=True,
        load_default=None,
        validate=validate.Length(0, 1000),
    )


class RerunRequest(Schema):
    from_node = text(
        "A node of the flow to begin at: what neither is it nor comes after it is kept. All runs again unless given.",
        allow_none=True,
        load_default=None,
        validate=validate.Length(1, 200),
    )
    input_data = fields.Dict(
        keys=fields.String(), metadata={"description": "Another input; that of the original unless given."}
    )


class Answer(Schema):
    """The answer to an approval; whatever else stands in it belongs to the approval's form."""

    class Meta:
        unknown = INCLUDE

    path = text(
        "The approval's path, such as `ask` or `orders[2]/ask`.", required=True, validate=validate.Length(1, MAX_PATH)
    )
    approved = fields.Boolean(required=True, truthy={True}, falsy={False}, metadata={"description": "Yes or no."})
    comment = text("What the person says about it.", validate=validate.Length(0, 10_000))


class CalledBack(Schema):
    """What the answer of an agent that had accepted came to."""

    execution_id = text("The execution.")
    path = text("The node's address inside it.")
    attempt = fields.Integer(metadata={"description": "The attempt that was answered."})
    status = text("Where the node stands now: `completed`, `failed`, or `retrying` where a failure is tried again.")


class ApprovalQuery(PageQuery):
    execution_id = text("Only those of this execution.", validate=validate.Length(1, 100))


class Approval(Schema):
    """An approval that waits for its answer."""

    execution_id = text("The execution that waits.")
    flow_id = text("Its flow.")
    version = text("The flow's version.")
    path = text("The approval's address inside the execution; what an answer names.")
    node_id = text("The approval's id in the flow.")
    name = text("Its title.", allow_none=True)
    description = text("What it is about.", allow_none=True)
    input = value("What the person is shown.")
    form = value("The JSON Schema that an answer must fit, where the flow has one.")
    waiting_since = moment("When it began to wait.")
    due_at = moment(
        "When its time is over; null without a timeout, and while the execution is paused.", allow_none=True
    )


class ApprovalPage(Schema):
    data = fields.List(fields.Nested(Approval))
    next_cursor = text("Brings the next page.", allow_none=True)
