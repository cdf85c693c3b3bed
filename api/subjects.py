"""People who wrote over channels: what is kept of one, and erasing it."""

from __future__ import annotations

from typing import Any

from aispine import subject
from aispine.errors import InvalidRequest
from aispine.store.ids import is_id
from aispine.subject import Eraser
from api import paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("subjects", "People who wrote over channels, and what is kept of them.")
records = Resource("erasures", "Records of what was erased of people; they name nobody.")


@blueprint.route("/<path:name>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Subject)
def show(name: str) -> Any:
    """Show what is kept of a person: `KIND:USER`, or the user id alone where that is one person."""
    with tenant_session() as session:
        found = subject.find(session, principal().tenant_id, name, parts().settings)
    return {
        "contacts": found.contacts,
        "messages": found.messages,
        "executions": found.execution_ids,
        "files": found.file_ids,
    }


@blueprint.route("/<path:name>", methods=["DELETE"])
@access("key")
@blueprint.response(200, schemas.Erasure)
def erase(name: str) -> Any:
    """Erase a person: messages, files, questions and every execution of theirs, with all that was run again from it."""
    tenant_id = principal().tenant_id
    eraser = Eraser(
        store=parts().store,
        dispatch=parts().dispatch(tenant_id),
        settings=parts().settings,
        tenant_id=tenant_id,
        by=principal().name,
    )
    return eraser.erase(name)


@records.route("", methods=["GET"])
@access("key")
@records.arguments(schemas.ErasureQuery, location="query")
@records.response(200, schemas.ErasurePage)
def list_erasures(query: dict[str, Any]) -> Any:
    """List what was erased, in order; of one person where `subject` names one."""
    limit, after = query["limit"], paging.decode(query.get("cursor"))
    if after is not None and not is_id(after):
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor")
    with tenant_session() as session:
        rows = subject.erasures(
            session,
            principal().tenant_id,
            parts().settings,
            name=query.get("subject"),
            after=after,
            limit=limit + 1,
        )
    return paging.page(rows, limit, "erasure_id")
