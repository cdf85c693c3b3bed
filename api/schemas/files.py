"""Files."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.common import moment, text


class FileQuery(Schema):
    name = text("Its name; that of the form's part where it is left out.", validate=validate.Length(1, 255))
    expires_at = fields.AwareDateTime(
        metadata={"description": "When it goes, with its zone; `AISPINE_FILE_RETENTION` says where it is left out."}
    )


class File(Schema):
    file_id = text("The file's id.")
    name = text("Its name.")
    media_type = text("What it is, checked against its content.")
    size = fields.Integer(metadata={"description": "Bytes."})
    sha256 = text("The SHA-256 of its content in hex.")
    sensitive = fields.Boolean(
        metadata={"description": "True for what a person sent: its content takes a key with `sensitive:read`."}
    )
    created_at = moment("When it came.")
    expires_at = moment("When it goes; null where it is kept.", allow_none=True)


class FilePage(Schema):
    data = fields.List(fields.Nested(File))
    next_cursor = text("Brings the next page.", allow_none=True)
