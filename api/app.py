"""The application: put together here, and nowhere else."""

from __future__ import annotations

from typing import Any

from flask import Flask

import aispine
from aispine import settings as process_settings
from aispine.settings import Settings
from api import (
    access,
    agents,
    approvals,
    callbacks,
    calls,
    channels,
    checks,
    circuits,
    docs,
    executions,
    files,
    flows,
    health,
    hosts,
    metrics,
    operations,
    problems,
    quotas,
    requests,
    schedules,
    secrets,
    standings,
    subjects,
    tools,
    workers,
)
from api.parts import Parts
from api.resource import Rest

PREFIX = "/api/v1"
_JSON_GROWTH = 2
"""A flow file inside a JSON body is at most about this much longer than it is by itself."""
_DESCRIPTION = """Runs flows of AI agents on Celery workers.

Every route under `/api/v1` takes `Authorization: Bearer <key>`. Errors are `application/problem+json` (RFC 9457) with a
stable `code`. Times are UTC, durations seconds unless the name says otherwise. Lists come in pages: pass `next_cursor`
as `cursor` until it is null."""


def create_app(settings: Settings | None = None) -> Flask:
    """Makes the application; `settings` are the process's own unless given. It connects to nothing yet."""
    settings = settings or process_settings.current()
    app = Flask("api", static_folder=None)
    app.config.update(_configuration(settings))
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it, its base class not.
    app.url_map.strict_slashes = False
    app.extensions["aispine"] = Parts(settings)
    requests.install(app)
    problems.install(app)
    _add_routes(app)
    access.install(app)
    quotas.install(app)
    hosts.install(app)
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    largest = max(settings.max_flow_bytes, settings.max_value_bytes)
    return {
        "MAX_CONTENT_LENGTH": largest * _JSON_GROWTH + 65_536,
        "API_TITLE": "AI Spine",
        "API_VERSION": aispine.__version__,
        "OPENAPI_VERSION": "3.1.0",
        "API_SPEC_OPTIONS": {
            "info": {"description": _DESCRIPTION},
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        },
    }


def _add_routes(app: Flask) -> None:
    rest = Rest(app)
    rest.register_blueprint(health.blueprint)
    rest.register_blueprint(metrics.blueprint)
    for blueprint in (
        flows.blueprint,
        executions.blueprint,
        approvals.blueprint,
        files.blueprint,
        callbacks.blueprint,
        calls.blueprint,
        hosts.blueprint,
        schedules.blueprint,
        secrets.blueprint,
        agents.blueprint,
        tools.blueprint,
        channels.blueprint,
        subjects.blueprint,
        subjects.records,
        workers.blueprint,
    ):
        rest.register_blueprint(blueprint, url_prefix=f"{PREFIX}/{blueprint.name}")
    rest.register_blueprint(checks.blueprint, url_prefix=f"{PREFIX}/agents")
    rest.register_blueprint(circuits.of_agents, url_prefix=f"{PREFIX}/agents")
    rest.register_blueprint(circuits.of_tools, url_prefix=f"{PREFIX}/tools")
    rest.register_blueprint(standings.blueprint, url_prefix=f"{PREFIX}/agents")
    rest.register_blueprint(operations.blueprint, url_prefix=f"{PREFIX}/executions")
    app.register_blueprint(docs.blueprint)
    docs.complete(app, rest.spec)
