"""The rules: what was read of a document, and what follows from it."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

NEEDED: Final = ("surname", "given_names", "number", "expiry_date")
_LICENCE: Final = re.compile(r"licen[cs]|driving|conducir|permis|führerschein", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What is decided, and the word for why."""

    verdict: str
    reason: str


def judge(document: dict[str, Any] | None, *, threshold: float, today: date, last: bool) -> Judgement:
    """The judgement of what was read; what cannot be cleared up by another picture goes to a person."""
    if document is None:
        return _again("unreadable", last)
    fields = document.get("fields") or {}
    found = [name for name in NEEDED if fields.get(name)]
    if not found:
        return _again("unreadable", last)
    zone = document.get("mrz")
    problem = _without_zone(document, found) if zone is None else _with_zone(document, zone)
    if problem is not None:
        return problem if problem.verdict == "doubt" else _again(problem.reason, last)
    if len(found) < len(NEEDED) or float(document.get("confidence") or 0) < threshold:
        return _again("unclear", last)
    if str(fields["expiry_date"]) < today.isoformat():
        return Judgement(verdict="expired", reason="expired")
    return Judgement(verdict="ok", reason="licence" if zone is None else "zone")


def _again(reason: str, last: bool) -> Judgement:
    return Judgement(verdict="doubt" if last else "again", reason=reason)


def _with_zone(document: dict[str, Any], zone: dict[str, Any]) -> Judgement | None:
    details = (document.get("details") or {}).values()
    if not zone.get("valid"):
        return Judgement(verdict="again", reason="zone_invalid")
    if any(detail.get("agrees") is False for detail in details):
        return Judgement(verdict="doubt", reason="differs")
    # The zone of a card is on its back: without any print that can be compared the front is missing.
    if zone.get("format") == "TD1" and not any("agrees" in detail for detail in details):
        return Judgement(verdict="again", reason="front_missing")
    return None


def _without_zone(document: dict[str, Any], found: list[str]) -> Judgement | None:
    if _LICENCE.search(str(document.get("text") or "")):
        return None
    return Judgement(verdict="again", reason="back_missing" if len(found) >= 2 else "unreadable")
