"""Workers: who serves the queues. They belong to the platform, so here they are only shown."""

from __future__ import annotations

from typing import Any

from aispine.engine import attendance
from api import paging, schemas
from api.access import access
from api.parts import parts, tenant_session
from api.resource import Resource

blueprint = Resource("workers", "Who serves the queues.")


@blueprint.route("")
@access("key")
@blueprint.response(200, schemas.WorkerPage)
def list_workers() -> Any:
    """List the workers and beat, with what they run for the tenant."""
    with tenant_session() as session:
        return paging.whole(attendance.list_workers(session, parts().settings.heartbeat))


@blueprint.route("/<worker_id>")
@access("key")
@blueprint.response(200, schemas.Worker)
def show(worker_id: str) -> Any:
    """Show a worker by its id, or by its name where that is its alone."""
    with tenant_session() as session:
        return attendance.show(session, worker_id, parts().settings.heartbeat)
