"""Identifiers and the clock."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from aispine.store.clock import DatabaseClock
from aispine.store.ids import is_id, new_id

ID = "01a2294a-aa65-7941-9b5c-92f3f62ad6a7"


def test_ids_are_different_uuids_of_version_seven() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {uuid.UUID(each).version for each in made} == {7}
    assert {uuid.UUID(each).variant for each in made} == {uuid.RFC_4122}


def test_ids_carry_the_time_first() -> None:
    milliseconds = uuid.UUID(new_id()).int >> 80
    made = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert abs(datetime.now(UTC) - made) < timedelta(seconds=5)


@pytest.mark.parametrize("text", ["", "x", "1234", f"{ID}0", ID.replace("-", ""), f"{{{ID}}}"])
def test_what_is_written_otherwise_is_no_id(text: str) -> None:
    assert is_id(new_id())
    assert is_id(new_id().upper())
    assert not is_id(text)


def test_the_clock_counts_on_from_what_the_database_told() -> None:
    clock = DatabaseClock()
    told = datetime(2001, 2, 3, tzinfo=UTC)
    clock.tell(told)
    first, second = clock.now(), clock.now()
    assert told <= first <= second < told + timedelta(seconds=5)
