"""Flows: deploying, looking up, validating and executing them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from flask import url_for

from aispine import catalog
from aispine.catalog import Deployed, FlowEntry, FlowVersion
from aispine.engine.start import StartRequest, start
from api import body, idempotency, paging, schemas, starting
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("flows", "Flows and their versions.")

_FILE_BODY: Final = {
    "required": True,
    "description": "The flow file: YAML, the same as JSON, or JSON with the file as text under `source`.",
    "content": {
        "application/yaml": {"schema": {"type": "string"}},
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"source": {"type": "string"}, "file": {"type": "string"}},
            }
        },
    },
}


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, schemas.FlowPage)
def list_flows(query: dict[str, Any]) -> Any:
    """List the flows by id."""
    limit = query["limit"]
    after = paging.decode(query.get("cursor"))
    with tenant_session() as session:
        rows = catalog.list_flows(session, principal().tenant_id, after=after, limit=limit + 1)
    return paging.page(rows, limit, "flow_id")


@blueprint.route("", methods=["POST"])
@access("key")
@blueprint.doc(requestBody=_FILE_BODY)
@blueprint.arguments(schemas.FlowFileQuery, location="query")
@blueprint.response(201, schemas.Deployed)
@blueprint.alt_response(200, schema=schemas.Deployed, description="This version was there, with this content.")
def deploy(query: dict[str, Any]) -> Any:  # noqa: ARG001
    """Deploy the version of a flow that a file holds."""
    return _deploy(None)


@blueprint.route("/<flow_id>", methods=["PUT"])
@access("key")
@blueprint.doc(requestBody=_FILE_BODY)
@blueprint.arguments(schemas.FlowFileQuery, location="query")
@blueprint.response(201, schemas.Deployed)
@blueprint.alt_response(200, schema=schemas.Deployed, description="This version was there, with this content.")
def put(query: dict[str, Any], flow_id: str) -> Any:  # noqa: ARG001
    """Deploy a version of this flow; the file must be one of it."""
    return _deploy(flow_id)


def _deploy(flow_id: str | None) -> Any:
    file = body.read_flow_file()
    with tenant_session() as session:
        deployed = catalog.deploy(session, principal().tenant_id, file.source, file.name, flow_id=flow_id)
    version = deployed.version
    where = url_for("flows.show_version", flow_id=version.flow_id, version=version.version)
    status = HTTPStatus.CREATED if deployed.created else HTTPStatus.OK
    return _present_deployed(deployed), status, {"Location": where}


def _present_deployed(deployed: Deployed) -> dict[str, Any]:
    entry = deployed.version.entry
    return {
        "flow_id": entry.flow_id,
        "version": entry.version,
        "name": entry.name,
        "content_hash": entry.content_hash,
        "created_at": entry.created_at,
        "created": deployed.created,
        "warnings": deployed.warnings,
    }


@blueprint.route("/validate", methods=["POST"])
@access("key")
@blueprint.doc(requestBody=_FILE_BODY)
@blueprint.arguments(schemas.FlowFileQuery, location="query")
@blueprint.response(200, schemas.Validation)
def validate(query: dict[str, Any]) -> Any:  # noqa: ARG001
    """Say whether a flow file can be deployed, and all that keeps it from it."""
    file = body.read_flow_file()
    with tenant_session() as session:
        flow, problems = catalog.check(session, principal().tenant_id, file.source, file.name)
        warnings = catalog.warnings(session, principal().tenant_id, flow, file.name) if flow else ()
    return {
        "valid": not problems,
        "flow_id": flow.flow_id if flow else None,
        "version": flow.version if flow else None,
        "problems": problems,
        "warnings": warnings,
    }


@blueprint.route("/execute", methods=["POST"])
@access("key")
@blueprint.doc(parameters=[idempotency.PARAMETER])
@blueprint.arguments(schemas.ExecuteRequest)
@blueprint.response(202, schemas.Execution)
def execute(payload: dict[str, Any]) -> Any:
    """Start an execution of a flow."""
    body.check_size(payload["input_data"], parts().settings.max_value_bytes, "input_data")
    wanted = StartRequest(
        flow_id=payload["flow_id"],
        version=payload["version"],
        input=payload["input_data"],
        labels=payload["labels"],
        correlation_id=payload["correlation_id"],
    )
    return starting.answer(payload, lambda session: start(session, principal().tenant_id, wanted))


@blueprint.route("/<flow_id>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Flow)
def show(flow_id: str) -> Any:
    """Show a flow with its highest version."""
    tenant_id = principal().tenant_id
    with tenant_session() as session:
        entry = catalog.find(session, tenant_id, flow_id)
        version = catalog.version(session, tenant_id, flow_id, entry.version)
        return _present_flow(entry, version, catalog.source(session, version.flow_version_id))


def _present_flow(entry: FlowEntry, version: FlowVersion, source: str) -> dict[str, Any]:
    summary = schemas.FlowSummary().fields
    return {name: getattr(entry, name) for name in summary} | _present_content(version, source)


def _present_content(version: FlowVersion, source: str) -> dict[str, Any]:
    return {"source": source, "input_schema": version.flow.input_schema, "nodes": version.flow.nodes}


@blueprint.route("/<flow_id>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(flow_id: str) -> Any:
    """Delete a flow; its running executions go on, and it can be deployed again."""
    with tenant_session() as session:
        catalog.delete(session, principal().tenant_id, flow_id)


@blueprint.route("/<flow_id>/versions", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.FlowVersionPage)
def list_versions(flow_id: str) -> Any:
    """List the versions of a flow, highest first."""
    with tenant_session() as session:
        return paging.whole(catalog.versions(session, principal().tenant_id, flow_id))


@blueprint.route("/<flow_id>/versions/<version>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.FlowVersion)
def show_version(flow_id: str, version: str) -> Any:
    """Show a version of a flow: that very one, or the highest in a range."""
    with tenant_session() as session:
        found = catalog.version(session, principal().tenant_id, flow_id, version)
        source = catalog.source(session, found.flow_version_id)
    summary = schemas.FlowVersionSummary().fields
    return {name: getattr(found.entry, name) for name in summary} | _present_content(found, source)


@blueprint.route("/<flow_id>/versions/<version>/diff", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.DiffQuery, location="query")
@blueprint.response(200, schemas.Diff)
def diff(query: dict[str, Any], flow_id: str, version: str) -> Any:
    """Show what changed from a version to another one."""
    tenant_id = principal().tenant_id
    with tenant_session() as session:
        old = catalog.version(session, tenant_id, flow_id, version)
        new = catalog.version(session, tenant_id, flow_id, query.get("to"))
        sources = [catalog.source(session, each.flow_version_id) for each in (old, new)]
    names = {"old_name": f"{old.flow_id} {old.version}", "new_name": f"{new.flow_id} {new.version}"}
    text = catalog.diff(*sources, **names)
    return {"flow_id": old.flow_id, "old": old.version, "new": new.version, "diff": text}
