"""Agents."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from aispine.agent.definition import KINDS, POOLS
from aispine.engine.call_figures import DAYS
from aispine.flow.standing import Actor, AgentStatus, AgentType
from aispine.store.agent_metrics import KEPT_DAYS
from api.schemas.common import PageQuery, moment, text, value


class AgentQuery(PageQuery):
    q = text("Words that its id, name, capabilities or description has.", validate=validate.Length(0, 200))
    type = text("Whose word stands behind it.", validate=validate.OneOf(list(AgentType)))
    status = text(
        "How a version of it stands; left out, active and suspended ones are listed.",
        validate=validate.OneOf(list(AgentStatus)),
    )
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
    max_concurrency = fields.Integer(
        allow_none=True, metadata={"description": "How many calls it takes at once; null for any number."}
    )
    input_schema = value("The JSON Schema of its input.")
    output_schema = value("The JSON Schema of its output.")
    models = fields.List(fields.Dict(), metadata={"description": "Of an llm agent, the first asked first."})
    system = text("What its model is told of its task.")
    prompt = text("What its model is asked.")
    tools = fields.List(fields.String(), metadata={"description": "The tools that its model may use."})
    max_steps = fields.Integer(metadata={"description": "How many turns an attempt may take."})
    budget = fields.Dict(metadata={"description": "What a node may spend: `max_tokens`, `max_cost_usd`."})
    type = text("`official`, `verified` by the platform, or `private`.", validate=validate.OneOf(list(AgentType)))
    status = text("How the version stands.", validate=validate.OneOf(list(AgentStatus)))
    status_reason = text("Why it stands so, if somebody said.", allow_none=True)
    deprecated = fields.Boolean(metadata={"description": "Whether flows should use another version."})
    deprecation = text("What to use instead.", allow_none=True)
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
    max_concurrency = fields.Integer(
        allow_none=True, metadata={"description": "How many calls it takes at once; null for any number."}
    )
    error = fields.Dict(allow_none=True, metadata={"description": "Why it is not well: `code` and `message`."})


class Circuit(Schema):
    """Whether calls of an agent, a model or a tool go through."""

    state = text("`closed`: they do; `open`: none does; `half_open`: one at a time does, as a probe.")
    failures = fields.Integer(metadata={"description": "How many failed in a row."})
    seconds = fields.Float(metadata={"description": "Until a probe may go through; 0 unless it is open."})


class AgentModel(Schema):
    """A model of an llm agent; its circuit is shared by all agents of the tenant that ask it."""

    place = fields.Integer(metadata={"description": "Its place in the list, from 1."})
    model = text("Its name.")
    base_url = text("Where it answers.")
    circuit = fields.Nested(Circuit)


class AgentModelPage(Schema):
    data = fields.List(fields.Nested(AgentModel))
    next_cursor = text("Always null: an agent has few models.", allow_none=True)


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


class AgentVersion(Schema):
    """One version of an agent, and how it stands."""

    version = text("The version.")
    kind = text("How it is called.", validate=validate.OneOf(KINDS))
    type = text("`official`, `verified` by the platform, or `private`.", validate=validate.OneOf(list(AgentType)))
    status = text("How it stands.", validate=validate.OneOf(list(AgentStatus)))
    status_by = text("Who changed that last.", validate=validate.OneOf(list(Actor)), allow_none=True)
    status_reason = text("Why, if somebody said.", allow_none=True)
    status_at = moment("When.", allow_none=True)
    deprecated = fields.Boolean(metadata={"description": "Whether flows should use another version."})
    deprecation = text("What to use instead.", allow_none=True)
    deprecated_at = moment("Since when.", allow_none=True)
    retired_at = moment("When its folder got another version; only old executions still have it.", allow_none=True)
    created_at = moment("When it was registered.")


class AgentVersionPage(Schema):
    data = fields.List(fields.Nested(AgentVersion), metadata={"description": "The highest first."})
    next_cursor = text("Always null: all come at once.", allow_none=True)


class StandingRequest(Schema):
    """Which version is meant, and why."""

    version = text(
        "The version; all that it can be said of unless given.",
        load_default=None,
        validate=validate.Length(1, 100),
    )
    reason = text("Why; shown to whoever asks.", load_default=None, validate=validate.Length(1, 1000))
    tenant_id = text(
        "Whose agent it is; for who governs agents alone.", load_default=None, validate=validate.Length(1, 200)
    )


class StatusRequest(StandingRequest):
    status = text("Where the version goes.", required=True, validate=validate.OneOf(list(AgentStatus)))


class DeprecationRequest(StandingRequest):
    deprecated = fields.Boolean(load_default=True, metadata={"description": "False takes it back."})


class MetricsQuery(Schema):
    days = fields.Integer(
        load_default=DAYS,
        validate=validate.Range(1, KEPT_DAYS),
        metadata={"description": "How many days (UTC) back, today included."},
    )


class AgentLatency(Schema):
    """Seconds of a call."""

    mean = fields.Float()
    p50 = fields.Float(metadata={"description": "Half of the calls took no longer; an estimate."})
    p95 = fields.Float(metadata={"description": "95 % of the calls took no longer; an estimate."})
    max = fields.Float()


class AgentFigures(Schema):
    """What the tenant's calls of one version came to."""

    version = text("The version.")
    calls = fields.Integer(metadata={"description": "Every attempt that came to a call."})
    succeeded = fields.Integer()
    success_rate = fields.Float(metadata={"description": "From 0 to 1."})
    errors = fields.Dict(metadata={"description": "How many failed, by the code of the failure."})
    latency = fields.Nested(AgentLatency)


class AgentMetrics(Schema):
    """What the tenant's calls of an agent came to; what was called in the last seconds may be missing."""

    agent_id = text("The agent.")
    days = fields.Integer(metadata={"description": "How many days back."})
    versions = fields.List(fields.Nested(AgentFigures), metadata={"description": "Those that were called."})
