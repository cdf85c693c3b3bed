"""Schedules: what they take and what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from aispine.flow.duration import HINT, parse_duration
from aispine.flow.schedule import cron_problem, timezones
from aispine.flow.schedule_section import SHORTEST
from api.schemas.common import PageQuery, moment, text, value

_ORIGINS: Final = ["flow", "api"]


def _refusing(problem: Callable[[str], str | None]) -> Callable[[str], None]:
    def check(given: str) -> None:
        if why := problem(given):
            raise ValidationError(why)

    return check


def _timezone_problem(name: str) -> str | None:
    return None if name in timezones() else "There is no such time zone; write a name such as Europe/Madrid, or UTC."


class Every(fields.Field[float]):
    """A duration: seconds, or a text such as `15m`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:  # noqa: ARG002
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise ValidationError(f"{error}. {HINT}") from error
        if seconds < SHORTEST:
            raise ValidationError(f"Must be at least {SHORTEST:g} s.")
        return seconds


class ScheduleRequest(Schema):
    flow_id = text("The flow, in either spelling of `-` and `_`.", required=True, validate=validate.Length(1, 200))
    cron = text("Minute, hour, day of the month, month, day of the week.", validate=_refusing(cron_problem))
    every = Every(
        metadata={
            "description": "In place of `cron`: seconds, or a text such as `15m`; at least 1 s.",
            "anyOf": [{"type": "number", "minimum": SHORTEST}, {"type": "string"}],
        }
    )
    timezone = text(
        "The IANA time zone that `cron` is read in.", load_default="UTC", validate=_refusing(_timezone_problem)
    )
    input_data = fields.Dict(
        keys=fields.String(), load_default=dict, metadata={"description": "The input of the executions."}
    )

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("cron" in data) == ("every" in data):
            raise ValidationError("Give one of `cron` and `every`.", "cron")


class ScheduleQuery(PageQuery):
    flow_id = text("Only those of this flow.", validate=validate.Length(1, 200))


class ScheduleSummary(Schema):
    schedule_id = text("The schedule's id.")
    flow_id = text("The flow that it starts, always in its newest version.")
    origin = fields.String(
        validate=validate.OneOf(_ORIGINS),
        metadata={"description": "`flow` when the flow's file says it, `api` when somebody added it."},
    )
    cron = text("The cron expression.", allow_none=True)
    every = fields.Float(allow_none=True, metadata={"description": "Or the seconds from one time to the next."})
    timezone = text("The time zone that `cron` is read in.")
    paused = fields.Boolean()
    next_due_at = moment("When it starts the flow next; null while it is paused.", allow_none=True)
    created_at = moment("When it was made.")
    updated_at = moment("When what it says was changed last.")


class ScheduleFiring(Schema):
    """A time that was carried out."""

    due_at = moment("The time.")
    fired_at = moment("When it was carried out.")
    execution_id = text("The execution that it started.", allow_none=True)
    error = value("Why it started none.")


class Schedule(ScheduleSummary):
    input = value("What the executions are given.")
    next_times = fields.List(moment("A time that comes."), metadata={"description": "The next five."})
    firings = fields.List(fields.Nested(ScheduleFiring), metadata={"description": "The last five, latest first."})


class SchedulePage(Schema):
    data = fields.List(fields.Nested(ScheduleSummary))
    next_cursor = text("Brings the next page.", allow_none=True)
