"""Decides whether an identity document that was read is good, has to be sent again, or needs a person."""

from datetime import UTC, date, datetime
from typing import Any

from aispine.agent import AgentError, Context, Reply

from . import words
from .rules import NEEDED, judge

THRESHOLD = 0.8
ATTEMPTS = 3
_KEPT = 6
"""The pictures that are read with the next ones: the reader takes ten together."""
_SHOWN = (*NEEDED, "full_name", "birth_date", "nationality")


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> Reply:
    """Returns the verdict with its reason, what to ask for, the holder, and what the verdict stands on."""
    document, pictures = input.get("document"), [each for each in input.get("pictures") or [] if each]
    last = (input.get("iteration") or 0) + 1 >= int(config.get("attempts", ATTEMPTS))
    found = judge(document, threshold=float(config.get("threshold", THRESHOLD)), today=_today(config), last=last)
    context.log.info("%s: %s", found.verdict, found.reason)
    output = {
        "verdict": found.verdict,
        "reason": found.reason,
        "ask": words.ask(found.reason, _cause(input), str(config.get("language", "es"))),
        # Another side is read together with the first; a better picture takes the place of a bad one.
        "keep": pictures[-_KEPT:] if found.reason in {"front_missing", "back_missing"} else [],
        "holder": _holder(document),
        "evidence": _evidence(document, input.get("error")),
    }
    return Reply(output, message=f"{found.verdict}: {found.reason}")


def _today(config: dict[str, Any]) -> date:
    try:
        return date.fromisoformat(str(config["today"])) if "today" in config else datetime.now(UTC).date()
    except ValueError:
        raise AgentError("`config.today` must be a date such as 2026-01-31", code="invalid_input") from None


def _cause(input: dict[str, Any]) -> str | None:
    """The reader's own code of why a document could not be read."""
    detail = (input.get("error") or {}).get("detail")
    return str(detail.get("error_code")) if isinstance(detail, dict) else None


def _holder(document: dict[str, Any] | None) -> dict[str, Any] | None:
    if document is None:
        return None
    fields, zone = document.get("fields") or {}, document.get("mrz") or {}
    holder = {name: fields.get(name) or zone.get(name) for name in _SHOWN}
    if not holder["full_name"] and holder["surname"]:
        holder["full_name"] = " ".join(part for part in (holder["given_names"], holder["surname"]) if part)
    return holder


def _evidence(document: dict[str, Any] | None, error: Any) -> dict[str, Any]:
    """What the verdict stands on, without a value of the document itself."""
    if document is None:
        return {"error": (error or {}).get("code"), "error_code": ((error or {}).get("detail") or {}).get("error_code")}
    zone, details = document.get("mrz"), document.get("details") or {}
    return {
        "strategy": document.get("strategy"),
        "confidence": document.get("confidence"),
        "missing": document.get("missing"),
        "zone": None if zone is None else {name: zone.get(name) for name in ("format", "valid", "checks")},
        "agrees": {name: detail["agrees"] for name, detail in details.items() if "agrees" in detail},
    }
