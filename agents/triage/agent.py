"""Triage: the language, category and priority of a support ticket, by the rules of `rules.py`."""

import re
from typing import Any

from aispine.agent import Context

from .rules import CATEGORIES, HIGH, LOW, STOP_WORDS, URGENT, VIP_PLANS

LADDER = ("low", "normal", "high", "urgent")
SUBJECT_COUNTS = 2


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns what the ticket is about, how sure that is, and the words that said so."""
    subject, body = str(input.get("subject", "")).lower(), input["body"].lower()
    signals = {name: _found(words, f"{subject}\n{body}") for name, words in CATEGORIES.items()}
    points = {name: len(found) + len(_found(found, subject)) * (SUBJECT_COUNTS - 1) for name, found in signals.items()}
    category = max(points, key=lambda name: points[name]) if any(points.values()) else "other"
    pressing = _found(URGENT, f"{subject}\n{body}")
    return {
        "language": _language(f"{subject} {body}"),
        "category": category,
        "confidence": round(points.get(category, 0) / max(sum(points.values()), 1), 2),
        "priority": _priority(f"{subject}\n{body}", pressing, str((input.get("customer") or {}).get("plan", ""))),
        "signals": sorted({*signals.get(category, []), *pressing}),
    }


def _found(words: Any, text: str) -> list[str]:
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}", text)]


def _priority(text: str, pressing: list[str], plan: str) -> str:
    """Two urgent words or one with a high one: urgent; either alone: high. A VIP plan raises it by one step."""
    high = len(_found(HIGH, text))
    step = 3 if len(pressing) + min(high, 1) >= 2 and pressing else 2 if pressing or high else 1
    if _found(LOW, text) and not pressing:
        step = 0
    return LADDER[min(step + (plan.lower() in VIP_PLANS), 3)]


def _language(text: str) -> str:
    words = re.findall(r"[^\W\d_]+", text)
    counts = {language: sum(word in known for word in words) for language, known in STOP_WORDS.items()}
    accented = len(re.findall(r"[áéíóúñ¿¡]", text))
    return "es" if counts["es"] + accented > counts["en"] else "en"
