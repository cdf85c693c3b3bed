"""Secrets: written here, and never read."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aispine import secrets
from api import paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("secrets", "What calls need and nobody may see.")


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, schemas.SecretPage)
def list_secrets(query: dict[str, Any]) -> Any:
    """List the secrets by name; what they hold is never shown."""
    limit, after = query["limit"], paging.decode(query.get("cursor"))
    with tenant_session() as session:
        rows = secrets.page(session, principal().tenant_id, after=after, limit=limit + 1)
    return paging.page(rows, limit, "name")


@blueprint.route("/<name>", methods=["PUT"])
@access("key")
@blueprint.arguments(schemas.SecretValue)
@blueprint.response(200, schemas.Secret)
def put(payload: dict[str, Any], name: str) -> Any:
    """Keep a secret under a name; the calls from now on get this one."""
    with tenant_session() as session:
        row = secrets.put(session, principal().tenant_id, name, payload["value"], parts().settings)
    return row, HTTPStatus.OK


@blueprint.route("/<name>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(name: str) -> Any:
    """Delete a secret; calls that need it fail from now on."""
    with tenant_session() as session:
        secrets.delete(session, principal().tenant_id, name)
