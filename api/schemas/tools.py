"""Tools."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from aispine.tool.definition import CONTRACTS, METHODS
from api.schemas.common import moment, text, value

_LONGEST = 60.0


class Tool(Schema):
    tool_id = text("What flows and models call it by.")
    name = text("Its name.")
    description = text("What it does.", allow_none=True)
    endpoint = text("The URL that is called.")
    contract = text("How it is called.", validate=validate.OneOf(CONTRACTS))
    method = text("The method of the call.", validate=validate.OneOf(METHODS))
    headers = fields.Dict(metadata={"description": "Headers that every call carries."})
    input_schema = value("The JSON Schema of its input.")
    output_schema = value("The JSON Schema of its output.")
    auth_config = fields.Dict(metadata={"description": "How calls say who calls, without what is secret."})
    has_secret = fields.Boolean(metadata={"description": "Whether a secret is kept; it is never shown."})
    timeout = fields.Float(allow_none=True, metadata={"description": "Seconds for one call."})
    created_at = moment("When it was registered.")
    updated_at = moment("When what is registered was changed last.")


class ToolPage(Schema):
    data = fields.List(fields.Nested(Tool))
    next_cursor = text("Brings the next page.", allow_none=True)


class ToolCall(Schema):
    input_data = fields.Raw(load_default=dict, metadata={"description": "The input."})
    config = fields.Dict(
        keys=fields.String(), load_default=dict, metadata={"description": "For tools of the contract `execute`."}
    )
    files = fields.List(fields.Dict(), load_default=list, metadata={"description": "As `config`."})
    execution_id = text("What the tool is told as the execution.", validate=validate.Length(1, 200))
    timeout = fields.Float(
        validate=validate.Range(0, _LONGEST, min_inclusive=False),
        metadata={"description": f"Seconds for the call, {_LONGEST:.0f} at most."},
    )


class ToolOutcome(Schema):
    tool_id = text("The tool.")
    status = text("How the call ended.", validate=validate.OneOf(["success", "error"]))
    output = value("What the tool answered.")
    metadata = fields.Dict()
    error = fields.Dict(allow_none=True, metadata={"description": "Why it failed: `code`, `message`, `detail`."})
    duration_ms = fields.Integer()
