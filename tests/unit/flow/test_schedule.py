"""When schedules come due, clocks that are turned included, and what a file may say about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aispine.flow.model import Schedule
from aispine.flow.schedule import cron_problem, latest_time, next_time, upcoming
from aispine.flow.validation import check, load

HEAD = "flow_id: f\nversion: 1.0.0\n"
NODES = "nodes: [{id: a, type: input}]\n"
EVERY_MINUTE = Schedule(cron="* * * * *")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def times(schedule: Schedule, after: str, count: int) -> list[str]:
    found = islice(upcoming(schedule, moment(after), moment(after)), count)
    return [time.strftime("%m-%dT%H:%M") for time in found]


def madrid(cron: str) -> Schedule:
    return Schedule(cron=cron, timezone="Europe/Madrid")


def test_a_cron_expression_is_read_in_its_time_zone() -> None:
    assert times(madrid("30 8 * * MON-FRI"), "2026-01-30T12:00Z", 2) == ["02-02T07:30", "02-03T07:30"]
    assert times(Schedule(cron="30 8 * * MON-FRI"), "2026-01-30T12:00Z", 1) == ["02-02T08:30"]


def test_a_fixed_time_stays_at_its_hour_of_the_day_over_the_change_of_the_clocks() -> None:
    assert times(madrid("0 9 * * *"), "2026-03-28T00:00Z", 3) == ["03-28T08:00", "03-29T07:00", "03-30T07:00"]


def test_a_fixed_time_that_the_clocks_skip_comes_once_right_after_the_skip() -> None:
    # On 29 March 2026 the clocks go from 02:00 to 03:00, which is 01:00 UTC.
    assert times(madrid("30 2 * * *"), "2026-03-28T12:00Z", 2) == ["03-29T01:00", "03-30T00:30"]
    assert times(madrid("0,30 2 * * *"), "2026-03-28T12:00Z", 2) == ["03-29T01:00", "03-30T00:00"]


def test_a_fixed_time_that_the_clocks_repeat_comes_once() -> None:
    # On 25 October 2026 the hour from 02:00 comes at 00:00 UTC and again at 01:00 UTC.
    assert times(madrid("30 2 * * *"), "2026-10-24T12:00Z", 2) == ["10-25T00:30", "10-26T01:30"]
    assert times(madrid("45 2 * * *"), "2026-10-25T01:30Z", 1) == ["10-26T01:45"]


def test_a_star_in_the_minutes_or_hours_follows_real_time_over_the_change_of_the_clocks() -> None:
    assert times(madrid("30 * * * *"), "2026-03-29T00:00Z", 3) == ["03-29T00:30", "03-29T01:30", "03-29T02:30"]
    assert times(madrid("30 * * * *"), "2026-10-25T00:00Z", 3) == ["10-25T00:30", "10-25T01:30", "10-25T02:30"]


def test_every_counts_from_its_anchor_and_does_not_drift() -> None:
    schedule, anchor = Schedule(every=90.0), moment("2026-01-01T00:00:05Z")
    assert next_time(schedule, anchor, anchor) == anchor + timedelta(seconds=90)
    late = anchor + timedelta(seconds=200)
    assert next_time(schedule, late, anchor) == anchor + timedelta(seconds=270)
    assert next_time(schedule, anchor + timedelta(seconds=180), anchor) == anchor + timedelta(seconds=270)


def test_of_the_times_that_were_missed_the_latest_is_found() -> None:
    due = moment("2026-01-01T00:00Z")
    now = moment("2026-03-05T10:20:30Z")
    assert latest_time(EVERY_MINUTE, due, now, due) == moment("2026-03-05T10:20Z")
    assert latest_time(Schedule(cron="0 0 1 * *"), due, now, due) == moment("2026-03-01T00:00Z")
    assert latest_time(Schedule(cron="0 0 1 1 *"), due, now, due) == due
    assert latest_time(Schedule(every=3600.0), due, now, due) == moment("2026-03-05T10:00Z")
    leap_day = Schedule(cron="0 0 29 2 *")
    assert latest_time(leap_day, moment("2016-02-29T00:00Z"), now, due) == moment("2024-02-29T00:00Z")


CRONS = st.sampled_from(["* * * * *", "*/7 * * * *", "30 2 * * *", "0 3 * * SUN", "15 1-3 * * *", "0 0 31 * *"])
ZONES = st.sampled_from(["UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(CRONS, ZONES, st.integers(0, 730 * 86_400))
def test_times_only_go_forward(cron: str, zone: str, seconds: int) -> None:
    begin = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = list(islice(upcoming(Schedule(cron=cron, timezone=zone), begin, begin), 5))
    assert [begin, *found] == sorted({begin, *found})


@given(CRONS, ZONES, st.integers(0, 400 * 86_400))
def test_the_latest_time_is_the_one_before_the_next(cron: str, zone: str, seconds: int) -> None:
    schedule, start = Schedule(cron=cron, timezone=zone), datetime(2026, 1, 1, tzinfo=UTC)
    due = next_time(schedule, start, start)
    assert due is not None
    now = due + timedelta(seconds=seconds)
    latest = latest_time(schedule, due, now, start)
    assert due <= latest <= now
    following = next_time(schedule, latest, start)
    assert following is not None
    assert following > now


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "x * * * *", "@daily"),
        *("0 0 30 2 *", "*/0 * * * *", "5-1 * * * *", "1," * 150 + "1 * * * *", "9" * 150 + " * * * *"),
    ],
)
def test_what_is_no_cron_expression_is_told(text: str) -> None:
    assert cron_problem(text)


def test_a_schedule_of_a_file_is_read() -> None:
    flow = load(HEAD + "schedule: {cron: '0  8 * * *', timezone: Europe/Madrid, input: {region: south}}\n" + NODES)
    assert flow.schedule == Schedule(cron="0 8 * * *", timezone="Europe/Madrid", input={"region": "south"})
    assert load(HEAD + "schedule: {every: 15m}\n" + NODES).schedule == Schedule(every=900.0)
    assert load(HEAD + NODES).schedule is None


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ("{cron: '61 * * * *'}", "invalid_value"),
        ("{every: 0.5}", "invalid_duration"),
        ("{every: 367d}", "invalid_duration"),
        ("{cron: '* * * * *', every: 5}", "missing_key"),
        ("{timezone: UTC}", "missing_key"),
        ("{every: 5, timezone: Europe/Madird}", "invalid_value"),
        ("{every: 5, timezone: Europe}", "invalid_value"),
        ("{every: 5, timezone: ../../etc/passwd}", "invalid_value"),
        ("{every: 5, catchup: true}", "unknown_key"),
        ("{every: 5, input: 3}", "invalid_type"),
        ("daily", "invalid_type"),
    ],
)
def test_a_schedule_that_cannot_be_is_a_problem_of_its_line(schedule: str, code: str) -> None:
    flow, problems = check(f"{HEAD}schedule: {schedule}\n{NODES}")
    assert flow is None
    assert [(problem.code, problem.line) for problem in problems] == [(code, 3)]


def test_the_input_of_a_schedule_must_fit_the_flows_own_schema() -> None:
    schema = "input_schema: {type: object, required: [region]}\n"
    assert check(f"{HEAD}{schema}schedule: {{every: 5, input: {{region: south}}}}\n{NODES}")[1] == ()
    found = check(f"{HEAD}{schema}schedule: {{every: 5}}\n{NODES}")[1]
    assert [(problem.code, problem.line) for problem in found] == [("invalid_input", 4)]
