"""The audit of calls."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from aispine.audit import KINDS
from api.schemas.common import PageQuery, moment, text


class CallQuery(PageQuery):
    kind = fields.String(validate=validate.OneOf(KINDS), metadata={"description": "What was called."})
    callee = text("The agent's or tool's id, or the model's name.", validate=validate.Length(1, 200))
    outcome = text("`success`, `accepted`, or the code of a failure.", validate=validate.Length(1, 100))
    execution_id = fields.UUID(metadata={"description": "The execution whose calls are wanted."})
    since = fields.AwareDateTime(metadata={"description": "Only calls from this moment on."})
    until = fields.AwareDateTime(metadata={"description": "Only calls before this moment."})


class Call(Schema):
    """One call, without anything that went in or came out."""

    call_id = text("Its id.")
    kind = fields.String(validate=validate.OneOf(KINDS))
    callee = text("The agent's or tool's id, or the model's name.")
    version = text("The agent's version; null for tools and models.", allow_none=True)
    host = text("The host that was called; null for an agent that ran in the worker.", allow_none=True)
    caller = text("The worker that called, or `key:NAME` for a call over the API.")
    execution_id = text("The execution that it was made for.", allow_none=True)
    path = text("The node there.", allow_none=True)
    attempt = fields.Integer(allow_none=True)
    begun_at = moment("When it began.")
    seconds = fields.Float(metadata={"description": "How long it took."})
    outcome = text("`success`, `accepted`, or the code of a failure.")
    cached = fields.Boolean(metadata={"description": "Whether the answer was a kept one and nobody was asked."})
    input_bytes = fields.Integer(metadata={"description": "What was sent."})
    output_bytes = fields.Integer(metadata={"description": "What came back, unpacked."})
    tokens = fields.Integer(allow_none=True, metadata={"description": "Tokens, where somebody told."})
    cost_usd = fields.Float(allow_none=True, metadata={"description": "US dollars, where somebody told."})


class CallPage(Schema):
    data = fields.List(fields.Nested(Call))
    next_cursor = text("Brings the next page.", allow_none=True)
