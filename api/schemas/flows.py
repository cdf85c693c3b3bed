"""Flows and their versions."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.common import moment, text, value


class FlowFileQuery(Schema):
    file = text("What problems call the file.", validate=validate.Length(1, 255))


class FlowSummary(Schema):
    flow_id = text("The flow's id.")
    name = text("Its name.")
    description = text("Its description.", allow_none=True)
    version = text("Its highest version.")
    created_at = moment("When it was first deployed.")
    updated_at = moment("When a version was last added.")


class FlowNode(Schema):
    """A node of a flow, in short."""

    id = text("The node's id.")
    type = text("What it does.")
    name = text("Its name.", allow_none=True)
    agent_id = text("The agent that it calls.", allow_none=True)
    agent_version = text("The range of the agent's versions.")
    depends_on = fields.List(fields.String())
    on_error = text("What happens when it fails: a node, `continue`, or `fail`.", allow_none=True)
    branches = fields.List(
        fields.String(),
        attribute="fork.branches",
        metadata={"description": "Of a fork, the names of the branches, in the order of `bodies`."},
    )
    bodies = fields.List(
        fields.List(fields.Nested(lambda: FlowNode())),  # noqa: PLW0108 - the class is not made yet.
        metadata={"description": "The nodes inside: of a loop or map one list, of a fork one for each branch."},
    )


class FlowVersionSummary(Schema):
    flow_id = text("The flow's id.")
    version = text("The version.")
    name = text("The flow's name.")
    content_hash = text("SHA-256 of what the file says.")
    created_at = moment("When it was deployed.")


class FlowVersion(FlowVersionSummary):
    source = text("The file as it was deployed.")
    input_schema = value("The JSON Schema of the input.")
    nodes = fields.List(fields.Nested(FlowNode))


class Flow(FlowSummary):
    source = text("The file of the highest version as it was deployed.")
    input_schema = value("The JSON Schema of the input.")
    nodes = fields.List(fields.Nested(FlowNode))


class Deployed(FlowVersionSummary):
    created = fields.Boolean(metadata={"description": "False when this version was there before, with this content."})
    warnings = fields.List(
        fields.Nested("FlowProblem"), metadata={"description": "Agents that are deprecated or suspended."}
    )


class FlowPage(Schema):
    data = fields.List(fields.Nested(FlowSummary))
    next_cursor = text("Brings the next page.", allow_none=True)


class FlowVersionPage(Schema):
    data = fields.List(fields.Nested(FlowVersionSummary))
    next_cursor = text("Always null: all versions are on one page.", allow_none=True)


class FlowProblem(Schema):
    """One mistake in a flow file."""

    code = text("The stable code.")
    message = text("What is wrong.")
    file = text("The file.")
    line = fields.Integer(allow_none=True)
    column = fields.Integer(allow_none=True)
    node = text("The node's id.", allow_none=True)
    hint = text("What to do.", allow_none=True)


class Validation(Schema):
    valid = fields.Boolean(metadata={"description": "True when the file can be deployed."})
    flow_id = text("The flow's id.", allow_none=True)
    version = text("The version.", allow_none=True)
    problems = fields.List(fields.Nested(FlowProblem))
    warnings = fields.List(
        fields.Nested(FlowProblem), metadata={"description": "Agents that are deprecated or suspended."}
    )


class DiffQuery(Schema):
    to = text("The version to compare with; the highest unless given.", validate=validate.Length(1, 100))


class Diff(Schema):
    flow_id = text("The flow's id.")
    old = text("The version compared.")
    new = text("The version compared with.")
    diff = text("The unified difference; empty when there is none.")
