"""What all schemas are made of, and those that belong to no resource."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, fields, validate


def timestamp(moment: datetime | None) -> str | None:
    """UTC as ISO 8601 with microseconds and a Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Timestamp(fields.String):
    """A moment; written in UTC."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        return timestamp(value)


def moment(description: str, *, allow_none: bool = False) -> Timestamp:
    return Timestamp(allow_none=allow_none, metadata={"format": "date-time", "description": description})


def value(description: str, **options: Any) -> fields.Raw:
    return fields.Raw(allow_none=True, metadata={"description": description}, **options)


def text(description: str, **options: Any) -> fields.String:
    return fields.String(metadata={"description": description}, **options)


class Problem(Schema):
    """An error (RFC 9457); `code` is stable, `request_id` finds it in the log."""

    type = text("A URN made of the code.")
    title = text("What kind of problem it is.")
    status = fields.Integer()
    detail = text("What is wrong here.")
    code = text("The stable code.")
    instance = text("The path that was asked for.")
    request_id = text("The request's id, as in `X-Request-Id`.")
    field = text("The field that is wrong.")
    hint = text("What to do.")
    errors = fields.List(fields.Dict(), metadata={"description": "Each problem, where there are several."})


class PageQuery(Schema):
    cursor = text("`next_cursor` of the page before.", validate=validate.Length(1, 500))
    limit = fields.Integer(
        load_default=50, strict=False, validate=validate.Range(1, 200), metadata={"description": "How many at most."}
    )


class Health(Schema):
    status = text("`ok`, or `degraded` when a part does not answer.")
    version = text("The version of AI Spine.")
    uptime_seconds = fields.Float()
    time = moment("The server's time.")
    parts = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "With `deep=1` alone."})


class HealthQuery(Schema):
    deep = fields.Boolean(load_default=False, metadata={"description": "Ask PostgreSQL and Redis too."})
