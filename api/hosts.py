"""Which hosts the calls of a tenant may go to."""

from __future__ import annotations

from typing import Any

from flask import Flask, g

from aispine.guards import fence
from api import schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("hosts", "Which hosts the calls of a tenant may go to.")


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Hosts)
def show() -> Any:
    """Show which hosts the tenant's calls may and may not go to, beyond what the deployment says."""
    with tenant_session() as session:
        return fence.show(session, principal().tenant_id)


@blueprint.route("", methods=["PUT"])
@access("key")
@blueprint.arguments(schemas.HostsChange)
@blueprint.response(200, schemas.Hosts)
def put(payload: dict[str, Any]) -> Any:
    """Set the lists that are named; they hold in every process within 5 s, and can only take away."""
    with tenant_session() as session:
        return fence.put(session, principal().tenant_id, payload)


def install(app: Flask) -> None:
    """Holds what a request itself calls to the lists; it has to come after what finds out whose the key is."""
    app.before_request(_restrict)
    app.teardown_request(_release)


def _restrict() -> None:
    found = getattr(g, "principal", None)
    if found is not None:
        g.fence = fence.around(parts().store, found.tenant_id, login=found.tenant_id)
        g.fence.__enter__()


def _release(_error: BaseException | None) -> None:
    held = g.pop("fence", None)
    if held is not None:
        held.__exit__(None, None, None)
