"""Approvals: what waits for a person."""

from __future__ import annotations

from typing import Any

from aispine.engine import approvals
from api import schemas
from api.access import access
from api.parts import principal, tenant_session
from api.resource import Resource

blueprint = Resource("approvals", "What waits for a person.")


@blueprint.route("")
@access("key")
@blueprint.arguments(schemas.ApprovalQuery, location="query")
@blueprint.response(200, schemas.ApprovalPage)
def list_approvals(query: dict[str, Any]) -> Any:
    """List the approvals that wait, the longest first."""
    with tenant_session() as session:
        return approvals.list_approvals(
            session,
            principal().tenant_id,
            execution_id=query.get("execution_id"),
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
