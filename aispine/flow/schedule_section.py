"""The `schedule` of a flow file: its keys, and what they say against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aispine.errors import InvalidInput
from aispine.flow.inputs import check_value
from aispine.flow.keys import Key, Kind
from aispine.flow.model import Schedule
from aispine.flow.reading import Reading
from aispine.flow.section import read_section, table
from aispine.flow.tree import Tree

SHORTEST: Final = 1.0
"""Seconds between two times."""

SCHEDULE_KEYS: Final = (
    Key(
        name="cron",
        kind=Kind.CRON,
        doc="Minute, hour, day of the month, month, day of the week, as in a crontab.",
        example='cron: "30 7 1 * *"',
    ),
    Key(
        name="every",
        kind=Kind.DURATION,
        minimum=SHORTEST,
        doc="The time from one start to the next, in place of `cron`; it counts from the deploy.",
        example="every: 15m",
    ),
    Key(
        name="timezone",
        kind=Kind.TIMEZONE,
        default="UTC",
        doc="The IANA time zone that `cron` is read in. A fixed time that the clocks skip comes right after the skip, "
        "one that they repeat comes once.",
        example="timezone: Europe/Madrid",
    ),
    Key(
        name="input",
        kind=Kind.OBJECT,
        default={},
        doc="The input of the executions; it must fit `input_schema`.",
        example="input: {region: south}",
    ),
)
_SCHEDULE: Final = table(SCHEDULE_KEYS)


def read_schedule(tree: Tree, reading: Reading, input_schema: Mapping[str, Any] | None) -> Schedule:
    """The schedule; what is wrong with it goes to the report."""
    values = read_section(tree, _SCHEDULE, reading, "a schedule")
    given = [name for name in ("cron", "every") if name in tree.members and tree.members[name].value is not None]
    if len(given) != 1:
        message = f"a schedule takes one of `cron` and `every`, not {'both' if given else 'none'}"
        reading.report.add("missing_key", message, tree.position)
    _check_input(tree, reading, input_schema, values.get("input", {}))
    return Schedule(**values)


def _check_input(tree: Tree, reading: Reading, schema: Mapping[str, Any] | None, value: Mapping[str, Any]) -> None:
    if schema is None:
        return
    try:
        check_value(schema, value)
    except InvalidInput as error:
        position = tree.members["input"].position if "input" in tree.members else tree.position
        hint = "Give the executions an input with `schedule.input`."
        reading.report.add("invalid_input", f"`schedule` cannot start the flow: {error.message}", position, hint=hint)
