"""Executions: what runs, and what came of it."""

from __future__ import annotations

from typing import Any, Final

from flask import request

from aispine import logs as logs_of_process
from aispine.access import SENSITIVE
from aispine.engine import views
from aispine.errors import InvalidRequest
from aispine.store.executions import Filter
from api import paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("executions", "Executions of flows.")

_log = logs_of_process.get(__name__)
LAST_EVENT_ID: Final = "Last-Event-ID"
_STREAM: Final = {
    "responses": {
        "200": {
            "description": "Events as they come; `: keep-alive` every 15 s; ends after the terminal event.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        "204": {"description": "`Last-Event-ID` is the terminal event: nothing follows."},
    },
    "parameters": [
        {"name": LAST_EVENT_ID, "in": "header", "schema": {"type": "integer"}, "description": "The last `id` seen."}
    ],
}


@blueprint.route("")
@access("key")
@blueprint.arguments(schemas.ExecutionQuery, location="query")
@blueprint.response(200, schemas.ExecutionPage)
def list_executions(query: dict[str, Any]) -> Any:
    """List executions, newest first; without their input and output."""
    wanted = Filter(
        statuses=tuple(query["status"]),
        flow_id=query.get("flow_id"),
        labels=dict(label.split("=", 1) for label in query["label"]),
        correlation_id=query.get("correlation_id"),
        parent=str(query["parent"]) if "parent" in query else None,
        schedule_id=str(query["schedule_id"]) if "schedule_id" in query else None,
    )
    with tenant_session() as session:
        return views.list_executions(
            session, principal().tenant_id, wanted, cursor=query.get("cursor"), limit=query["limit"]
        )


@blueprint.route("/<execution_id>")
@access("key")
@blueprint.arguments(schemas.SensitiveQuery, location="query")
@blueprint.response(200, schemas.Execution)
def show(query: dict[str, Any], execution_id: str) -> Any:
    """Show an execution with its input and output."""
    sensitive = _shows_sensitive(query, execution_id)
    with tenant_session() as session:
        return views.show(session, execution_id, sensitive=sensitive)


def _shows_sensitive(query: dict[str, Any], execution_id: str) -> bool:
    """True when sensitive values are asked for by who may see them. Raises `Forbidden`."""
    if not query["show_sensitive"]:
        return False
    principal().require(SENSITIVE)
    _log.info("sensitive.shown", execution=execution_id, key=principal().name)
    return True


@blueprint.route("/<execution_id>/results")
@access("key")
@blueprint.arguments(schemas.SensitiveQuery, location="query")
@blueprint.response(200, schemas.Results)
def results(query: dict[str, Any], execution_id: str) -> Any:
    """Show every node of an execution, those in bodies below their containers."""
    sensitive = _shows_sensitive(query, execution_id)
    with tenant_session() as session:
        status = views.show(session, execution_id, sensitive=sensitive).status
        nodes = views.results(session, execution_id, parts().surroundings, sensitive=sensitive)
    return {"execution_id": execution_id, "status": status, **paging.whole(nodes)}


@blueprint.route("/<execution_id>/events")
@access("key")
@blueprint.arguments(schemas.EventQuery, location="query")
@blueprint.response(200, schemas.EventPage)
def events(query: dict[str, Any], execution_id: str) -> Any:
    """List the events of an execution, in order; `cursor` is the last `seq` seen."""
    limit, sensitive = query["limit"], _shows_sensitive(query, execution_id)
    with tenant_session() as session:
        found = views.events_after(session, execution_id, query["cursor"], limit + 1, sensitive=sensitive)
    shown = found[:limit]
    return {"data": shown, "next_cursor": str(shown[-1].seq) if len(found) > limit else None}


@blueprint.route("/<execution_id>/logs")
@access("key")
@blueprint.arguments(schemas.LogQuery, location="query")
@blueprint.response(200, schemas.LogPage)
def logs(query: dict[str, Any], execution_id: str) -> Any:
    """Show what the agents of an execution printed and logged, attempt by attempt."""
    wanted = {"path": query.get("path"), "node_id": query.get("node")}
    sensitive = _shows_sensitive(query, execution_id)
    with tenant_session() as session:
        found = views.logs(session, execution_id, **wanted, sensitive=sensitive)
    return paging.whole(found)


@blueprint.route("/<execution_id>/stream")
@access("key")
@blueprint.doc(**_STREAM)
@blueprint.arguments(schemas.StreamQuery, location="query")
def stream(query: dict[str, Any], execution_id: str) -> Any:
    """Follow the events of an execution: those after `Last-Event-ID` first, then live."""
    after = _last_event_id(query.get("last_event_id"))
    sensitive = _shows_sensitive(query, execution_id)
    # gunicorn's name for the client's connection; another server may have none.
    connection = request.environ.get("gunicorn.socket")
    return parts().streams.open(principal().tenant_id, execution_id, after, sensitive=sensitive, connection=connection)


def _last_event_id(given: str | None) -> int:
    """The header wins: it is what a browser sends when it comes back to a URL that has the parameter."""
    text = request.headers.get(LAST_EVENT_ID) or given or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= schemas.LARGEST_SEQ):
        raise InvalidRequest(f"`{LAST_EVENT_ID}` must be the id of an event", field=LAST_EVENT_ID)
    return int(text)
