"""Schedules: flows that start by themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from flask import jsonify, url_for

from aispine import schedules
from aispine.errors import InvalidRequest
from aispine.flow.model import Schedule
from aispine.store.ids import is_id
from api import body, idempotency, paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("schedules", "Flows that start by themselves.")

_schedule: Final = schemas.Schedule()


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.ScheduleQuery, location="query")
@blueprint.response(200, schemas.SchedulePage)
def list_schedules(query: dict[str, Any]) -> Any:
    """List the schedules, those of flow files and those that were added, in the order in which they were made."""
    limit, after = query["limit"], paging.decode(query.get("cursor"))
    if after is not None and not is_id(after):
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor")
    with tenant_session() as session:
        rows = schedules.list_schedules(
            session, principal().tenant_id, flow_id=query.get("flow_id"), after=after, limit=limit + 1
        )
    return paging.page(rows, limit, "schedule_id")


@blueprint.route("", methods=["POST"])
@access("key")
@blueprint.doc(parameters=[idempotency.PARAMETER])
@blueprint.arguments(schemas.ScheduleRequest)
@blueprint.response(201, schemas.Schedule)
def create(payload: dict[str, Any]) -> Any:
    """Add a schedule to a flow, beside what its file says."""
    body.check_size(payload["input_data"], parts().settings.max_value_bytes, "input_data")
    wanted = Schedule(
        cron=" ".join(payload["cron"].split()) if "cron" in payload else None,
        every=payload.get("every"),
        timezone=payload["timezone"],
        input=payload["input_data"],
    )
    tenant_id = principal().tenant_id

    def make() -> Any:
        return _schedule.dump(schedules.create(session, tenant_id, payload["flow_id"], wanted))

    with tenant_session() as session:
        found = idempotency.once(session, tenant_id, payload, HTTPStatus.CREATED, make)
    sent = {"Location": url_for("schedules.show", schedule_id=found.body["schedule_id"])}
    if found.replayed:
        sent[idempotency.REPLAYED] = "true"
    return jsonify(found.body), HTTPStatus.CREATED, sent


@blueprint.route("/<schedule_id>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Schedule)
def show(schedule_id: str) -> Any:
    """Show a schedule with the times that come and those that were carried out last."""
    with tenant_session() as session:
        return schedules.show(session, principal().tenant_id, schedule_id)


@blueprint.route("/<schedule_id>/pause", methods=["POST"])
@access("key")
@blueprint.response(200, schemas.Schedule)
def pause(schedule_id: str) -> Any:
    """Let a schedule start nothing until it is resumed; again is no error."""
    with tenant_session() as session:
        return schedules.pause(session, principal().tenant_id, schedule_id)


@blueprint.route("/<schedule_id>/resume", methods=["POST"])
@access("key")
@blueprint.response(200, schemas.Schedule)
def resume(schedule_id: str) -> Any:
    """Let a paused schedule go on; the times that passed meanwhile are over."""
    with tenant_session() as session:
        return schedules.resume(session, principal().tenant_id, schedule_id)


@blueprint.route("/<schedule_id>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(schedule_id: str) -> Any:
    """Delete a schedule; one that a flow file says is there again when the flow is deployed."""
    with tenant_session() as session:
        schedules.delete(session, principal().tenant_id, schedule_id)
