"""The guests of the demo and of the measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from aispine.agent.contract import AgentReply
from aispine.agent.folder import built_in
from aispine.agent.testing import load_agent
from aispine.errors import AISpineError
from cli.guests import cast, show
from cli.guests.cast import Guest
from cli.guests.play import Played

TODAY = datetime.now(UTC).date()


@pytest.mark.parametrize("guest", cast.six(TODAY), ids=str)
def test_who_has_to_be_verified_has_a_reservation_today_and_nobody_else(guest: Guest) -> None:
    name = f"{guest.person.given_names} {guest.person.surname}"
    reply = load_agent(built_in() / "reservation_check").run({"name": name, "surname": guest.person.surname})
    assert isinstance(reply, AgentReply)
    assert reply.output["found"] == (guest.expected.outcome != "no_reservation")


@pytest.mark.parametrize("today", [date(2026, 2, 28), date(2028, 2, 29), date(2031, 12, 31)], ids=str)
def test_only_one_document_has_expired_whatever_the_day(today: date) -> None:
    expired = [guest.expected.outcome for guest in cast.six(today) if guest.person.expires < today]
    assert expired == ["expired"]


def test_the_guests_of_two_rounds_have_nothing_but_their_names_in_common() -> None:
    for one, other in zip(cast.six(TODAY, 1), cast.six(TODAY, 2), strict=True):
        assert one.name == other.name
        assert {one.user, one.person.number}.isdisjoint({other.user, other.person.number})


def played(guest: Guest, **changes: str | None) -> Played:
    found = replace(guest.expected, **changes)  # type: ignore[arg-type]  # each test names fields that there are
    return Played(guest=guest, execution_id="e", found=found, asked=1, seconds=1.0)


def test_guests_who_come_to_what_was_expected_end_the_demo_well() -> None:
    show.judge([played(guest) for guest in cast.six(TODAY)])


@pytest.mark.parametrize("wrong", [{"outcome": "declined"}, {"reason": "differs"}, {"approved_by": "staff"}], ids=str)
def test_one_wrong_outcome_ends_the_demo_with_1_and_says_whose(wrong: dict[str, str]) -> None:
    first, *others = cast.six(TODAY)
    with pytest.raises(AISpineError) as raised:
        show.judge([played(first, **wrong), *map(played, others)])
    assert raised.value.exit_code == 1
    (problem,) = raised.value.errors
    assert (problem["path"], "1 of 6" in raised.value.message) == (str(first), True)
