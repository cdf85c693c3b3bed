"""The guests of the demo and of the measures."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from aispine.agent.contract import AgentReply
from aispine.agent.folder import built_in
from aispine.agent.testing import load_agent
from cli.guests import cast
from cli.guests.cast import Guest

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
