"""The audit of calls: who called what, and what came of it."""

from __future__ import annotations

from typing import Any

from aispine.errors import InvalidRequest
from aispine.store import calls
from aispine.store.calls import CallFilter
from aispine.store.ids import is_id
from api import paging, schemas
from api.access import access
from api.parts import principal, tenant_session
from api.resource import Resource

blueprint = Resource("calls", "The audit of calls to agents, tools and models.")


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.CallQuery, location="query")
@blueprint.response(200, schemas.CallPage)
def list_calls(query: dict[str, Any]) -> Any:
    """List the calls to agents, tools and models, the newest first; some come about a second after they were made."""
    limit, before = query.pop("limit"), _place(query.pop("cursor", None))
    execution_id = query.pop("execution_id", None)
    wanted = CallFilter(execution_id=None if execution_id is None else str(execution_id), **query)
    with tenant_session() as session:
        rows = calls.page(session, principal().tenant_id, wanted, before=before, limit=limit + 1)
    return paging.page(rows, limit, "call_id")


def _place(cursor: str | None) -> str | None:
    before = paging.decode(cursor)
    if before is not None and not is_id(before):
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor")
    return before
