"""Secrets."""

from __future__ import annotations

from marshmallow import Schema, fields

from api.schemas.common import moment, text


class SecretValue(Schema):
    value = text("What it holds, 6 to 65,536 characters; kept encrypted and never shown again.", required=True)


class Secret(Schema):
    name = text("What flows call it by: `${secrets.NAME}`.")
    created_at = moment("When it was first put.")
    updated_at = moment("When it was put last.")


class SecretPage(Schema):
    data = fields.List(fields.Nested(Secret))
    next_cursor = text("Brings the next page.", allow_none=True)
