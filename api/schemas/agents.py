"""Agents."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from aispine.agent.definition import KINDS, POOLS
from api.schemas.common import PageQuery, moment, text, value


class AgentQuery(PageQuery):
    kind = text("How it is called.", validate=validate.OneOf(KINDS))
    pool = text("Where it runs.", validate=validate.OneOf(POOLS))
    official = fields.Boolean(metadata={"description": "Those of the platform, or the tenant's own."})
    capability = fields.List(
        fields.String(), load_default=list, metadata={"description": "What it can do; several must all be there."}
    )


class Agent(Schema):
    agent_id = text("The agent's id.")
    version = text("Its newest version.")
    versions = fields.List(fields.String(), metadata={"description": "All that can be asked for."})
    kind = text("How it is called.", validate=validate.OneOf(KINDS))
    pool = text("Where it runs.", validate=validate.OneOf(POOLS))
    name = text("Its name.")
    description = text("What it does.", allow_none=True)
    capabilities = fields.List(fields.String())
    endpoint = text("Where it answers, when over HTTP.", allow_none=True)
    timeout = fields.Float(allow_none=True, metadata={"description": "Seconds for one call."})
    rate_limit = fields.Dict()
    input_schema = value("The JSON Schema of its input.")
    output_schema = value("The JSON Schema of its output.")
    models = fields.List(fields.Dict(), metadata={"description": "Of an llm agent, the first asked first."})
    system = text("What its model is told of its task.")
    prompt = text("What its model is asked.")
    tools = fields.List(fields.String(), metadata={"description": "The tools that its model may use."})
    max_steps = fields.Integer(metadata={"description": "How many turns an attempt may take."})
    budget = fields.Dict(metadata={"description": "What a node may spend: `max_tokens`, `max_cost_usd`."})
    official = fields.Boolean(metadata={"description": "True for the platform's own."})
    has_api_key = fields.Boolean(metadata={"description": "The key itself is never shown."})
    created_at = text("When it was registered.")


class AgentPage(Schema):
    data = fields.List(fields.Nested(Agent))
    next_cursor = text("Brings the next page.", allow_none=True)


class AgentHealth(Schema):
    agent_id = text("The agent's id.")
    version = text("The version that answers.")
    endpoint = text("Where it answers, when over HTTP.", allow_none=True)
    ready = fields.Boolean()
    capabilities = fields.List(fields.String())
    rate_limit = fields.Dict()
    error = fields.Dict(allow_none=True, metadata={"description": "Why it is not well: `code` and `message`."})


class Circuit(Schema):
    """Whether calls of an agent go through."""

    state = text("`closed`: they do; `open`: none does; `half_open`: one at a time does, as a probe.")
    failures = fields.Integer(metadata={"description": "How many failed in a row."})
    seconds = fields.Float(metadata={"description": "Until a probe may go through; 0 unless it is open."})


class AgentCheck(Schema):
    """One check of an agent's health."""

    at = text("When it was made.")
    ready = fields.Boolean(metadata={"description": "Whether the agent was ready."})
    duration_ms = fields.Integer(metadata={"description": "How long its answer took."})
    error = text("What was wrong, if something was.", allow_none=True)


class AgentChecks(Schema):
    """How an agent over HTTP stood at its last checks."""

    agent_id = text("The agent.")
    version = text("The version that was checked.")
    ready = fields.Boolean(allow_none=True, metadata={"description": "At the last check; null before the first."})
    failures = fields.Integer(metadata={"description": "How many checks in a row brought no answer."})
    next_check_at = moment("When it is checked again.", allow_none=True)
    checks = fields.List(fields.Nested(AgentCheck), metadata={"description": "The newest first, 60 at most."})
