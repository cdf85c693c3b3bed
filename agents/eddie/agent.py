"""Eddie: scores a credit application by the rules of `rules.py`."""

import math
from typing import Any, Final

from aispine.agent import AgentError, Context, Reply

from .rules import HIGHEST_DEBT_RATIO, Application, decide, parts, score

NEEDED: Final = {"monthly_income": "income", "amount": "amount", "term_months": "term"}


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> Reply:
    """Takes Zoe's output or the fields themselves; what lacks a number is for a person to review, without a score."""
    fields = input.get("fields", input)
    problems = [*_problems(fields), *(f"invalid: {item['field']}" for item in input.get("invalid", []))]
    if problems:
        return _unscored(problems)
    threshold = _number(config, "risk_threshold", 0.7, 0, 1)
    application = Application(
        income=float(fields["monthly_income"]),
        amount=float(fields["amount"]),
        term=int(fields["term_months"]),
        debt=float(fields.get("monthly_debt") or 0),
        annual_rate=_number(config, "annual_rate", 0.18, 0, 10),
    )
    context.log.info("scoring %s over %s months", application.amount, application.term)
    return _scored(application, threshold, _number(config, "minimum_income", 500, 1, 1e12))


def _scored(application: Application, threshold: float, minimum_income: float) -> Reply:
    judged = parts(application, minimum_income)
    reached = score(judged)
    decision = decide(reached, application.debt_ratio, threshold)
    reasons = [part.reason for part in judged]
    if application.debt_ratio > HIGHEST_DEBT_RATIO:
        reasons.insert(0, f"debts would take more than {HIGHEST_DEBT_RATIO:.0%} of the income")
    output = {
        "decision": decision,
        "score": reached,
        "score_1000": round(reached * 1000),
        "risk_threshold": threshold,
        "monthly_payment": round(application.payment, 2),
        "total_payment": round(application.payment * application.term, 2),
        "debt_ratio": round(application.debt_ratio, 4),
        "parts": {part.name: round(part.value, 4) for part in judged},
        "reasons": reasons,
    }
    return Reply(output, message=f"{decision}: score {reached:.2f} against a threshold of {threshold:.2f}")


def _unscored(problems: list[str]) -> Reply:
    output = {
        "decision": "review",
        "score": None,
        "score_1000": None,
        "monthly_payment": None,
        "debt_ratio": None,
        "reasons": problems,
    }
    return Reply(output, message=f"review: {'; '.join(problems)}")


def _problems(fields: dict[str, Any]) -> list[str]:
    missing = [f"missing: {name}" for name in NEEDED if fields.get(name) is None]
    return missing or [f"{name} must be a number above 0" for name in NEEDED if not _positive(fields[name])]


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 1


def _number(config: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise AgentError(f"`config.{name}` must be a number from {low:g} to {high:g}", code="invalid_input")
    return float(value)
