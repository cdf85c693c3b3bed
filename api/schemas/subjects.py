"""People who wrote over channels, and the records of what was erased of them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.common import PageQuery, moment, text


class SubjectContact(Schema):
    channel_id = text("The channel.")
    kind = text("What it is.")
    user_id = text("What the channel calls the person.")
    display_name = text("What the person calls themself.", allow_none=True)
    wrote_at = moment("When the person wrote last.", allow_none=True)


class Subject(Schema):
    contacts = fields.List(fields.Nested(SubjectContact), metadata={"description": "The person on each channel."})
    messages = fields.Integer(metadata={"description": "How many messages came in and went out."})
    executions = fields.List(fields.String(), metadata={"description": "What the person began, and what came of it."})
    files = fields.List(fields.String(), metadata={"description": "What the person sent, and what was made of it."})


class Erasure(Schema):
    erasure_id = text("The record's id.")
    erased_at = moment("When it was done.")
    erased_by = text("The name of the key that asked for it.")
    counts = fields.Dict(metadata={"description": "How much of each kind went."})


class ErasurePage(Schema):
    data = fields.List(fields.Nested(Erasure))
    next_cursor = text("Brings the next page.", allow_none=True)


class ErasureQuery(PageQuery):
    subject = text("Only those of this person, as `KIND:USER` or a user id.", validate=validate.Length(1, 250))
