"""Finds the reservation of a guest in an SQL table."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from aispine.agent import AgentError, Context, Reply

from .matching import similarity
from .table import Reservation, reservations

THRESHOLD = 0.8
NEAR = 0.03
"""Two reservations whose scores are no further apart cannot be told apart by the name."""


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> Reply:
    """Returns the reservation that fits the code or the name, and the score of the name; or why there is none."""
    today = _day(input.get("today") or config.get("today"))
    early = timedelta(days=int(config.get("days_early", 1)))
    found = list(reservations(config.get("url"), str(config.get("table", "reservations"))))
    context.log.info("%d reservations looked at", len(found))
    if input.get("code"):
        code = str(input["code"]).strip().upper()
        scored = [(1.0, each) for each in found if each.code.upper() == code]
    elif (input.get("name") or "").strip():
        scored = [(similarity(str(input["name"]), each.guest, input.get("surname")), each) for each in found]
    else:
        return _reply("no_name", 0.0, None)
    return _decide(sorted(scored, key=lambda pair: -pair[0]), today, early, float(config.get("threshold", THRESHOLD)))


def _decide(scored: list[tuple[float, Reservation]], today: date, early: timedelta, threshold: float) -> Reply:
    good = [(score, each) for score, each in scored if score >= threshold]
    now = [(score, each) for score, each in good if each.check_in - early <= today < each.check_out]
    if not good:
        return _reply("not_found", scored[0][0] if scored else 0.0, None)
    if not now:
        return _reply("wrong_date", good[0][0], good[0][1])
    if len(now) > 1 and now[0][0] - now[1][0] <= NEAR:
        return _reply("ambiguous", now[0][0], None)
    return _reply("matched", *now[0])


def _reply(reason: str, score: float, reservation: Reservation | None) -> Reply:
    shown = None if reservation is None else reservation.as_dict()
    return Reply({"found": reason == "matched", "reason": reason, "score": score, "reservation": shown}, message=reason)


def _day(value: Any) -> date:
    if value is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise AgentError(f"`today` is {value!r}, not a date such as 2026-01-31", code="invalid_input") from None
