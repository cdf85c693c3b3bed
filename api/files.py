"""Files: what flows refer to and never carry."""

from __future__ import annotations

from http import HTTPStatus
from typing import IO, Any, Final

from flask import Response, request, url_for

from aispine import logs
from aispine.access import SENSITIVE
from aispine.errors import InvalidRequest
from aispine.files import StoredFile, TenantFiles
from aispine.flow.sensitive import HIDDEN
from aispine.store.ids import is_id
from api import paging, schemas
from api.access import access
from api.parts import parts, principal
from api.resource import Resource

_log = logs.get(__name__)
blueprint = Resource("files", "Files that flows refer to.")

_ENVELOPE: Final = 65_536
"""Bytes that a form may have around its file."""
_CONTENT: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final = {
    "required": True,
    "description": "The content as it is under its own type, or a form with one part `file`.",
    "content": {
        "*/*": _CONTENT,
        "multipart/form-data": {
            "schema": {"type": "object", "required": ["file"], "properties": {"file": _CONTENT["schema"]}}
        },
    },
}


def _files() -> TenantFiles:
    return TenantFiles(store=parts().store, tenant_id=principal().tenant_id, settings=parts().settings)


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, schemas.FilePage)
def list_files(query: dict[str, Any]) -> Any:
    """List the files that are there, in the order in which they came."""
    limit, after = query["limit"], paging.decode(query.get("cursor"))
    if after is not None and not is_id(after):
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor")
    found = _files().page(after=after, limit=limit + 1)
    cursor = paging.encode(found[limit - 1].reference.file_id) if len(found) > limit else None
    return {"data": [_present(each) for each in found[:limit]], "next_cursor": cursor}


@blueprint.route("", methods=["POST"])
@access("key")
@blueprint.doc(requestBody=_BODY)
@blueprint.arguments(schemas.FileQuery, location="query")
@blueprint.response(201, schemas.File)
def put(query: dict[str, Any]) -> Any:
    """Keep a file and get the reference to give to a flow."""
    request.max_content_length = parts().settings.max_file_bytes + _ENVELOPE
    content, name, declared_type = _sent()
    stored = _files().put(
        content, name=query.get("name") or name, declared_type=declared_type, expires_at=query.get("expires_at")
    )
    where = url_for("files.show", file_id=stored.reference.file_id)
    return _present(stored), HTTPStatus.CREATED, {"Location": where}


def _sent() -> tuple[IO[bytes], str, str | None]:
    """The content of the request with its name and type: the one file of a form, or the body itself."""
    if request.mimetype != "multipart/form-data":
        return request.stream, "", request.content_type
    found = request.files.getlist("file")
    if len(found) != 1 or len(request.files) != 1:
        raise InvalidRequest("The form must have exactly one file, as its part `file`", field="file")
    return found[0].stream, found[0].filename or "", found[0].content_type


@blueprint.route("/<file_id>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.File)
def show(file_id: str) -> Any:
    """Show what a file is."""
    return _present(_files().find(file_id))


@blueprint.route("/<file_id>/content", methods=["GET"])
@access("key")
@blueprint.alt_response(200, description="The content.", content_type="*/*")
def content(file_id: str) -> Any:
    """Download a file; one that a person sent takes a key that may see what is sensitive."""
    files = _files()
    found = files.find(file_id)
    if found.sensitive:
        principal().require(SENSITIVE)
        _log.info("sensitive.shown", file=file_id, key=principal().name)
    reference = found.reference
    response = Response(files.chunks(file_id), content_type=reference.media_type)
    response.content_length = reference.size
    response.set_etag(reference.sha256)
    # As an attachment, whatever it is: a page among the files must not run in the browser of who looks at it.
    response.headers.set("Content-Disposition", "attachment", filename=reference.name)
    return response


@blueprint.route("/<file_id>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(file_id: str) -> Any:
    """Delete a file; who refers to it finds nothing."""
    _files().delete(file_id)


def _present(stored: StoredFile) -> dict[str, Any]:
    about = {"sensitive": stored.sensitive, "created_at": stored.created_at, "expires_at": stored.expires_at}
    # A name may say whose document it is, and who has the document knows its hash.
    hidden = dict.fromkeys(("name", "sha256"), HIDDEN) if stored.sensitive and not _may_see() else {}
    return stored.reference.as_dict() | about | hidden


def _may_see() -> bool:
    return SENSITIVE in principal().permissions
