"""The rules of the score: four parts, each from 0 (bad) to 1 (good) along a line, and their weights."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """Money per month in one currency; `term` in months, `annual_rate` as a fraction (0.18 = 18 %)."""

    income: float
    amount: float
    term: int
    debt: float
    annual_rate: float

    @property
    def payment(self) -> float:
        """The monthly payment of an annuity."""
        rate = self.annual_rate / 12
        if rate == 0:
            return self.amount / self.term
        return self.amount * rate / (1 - (1 + rate) ** -self.term)

    @property
    def debt_ratio(self) -> float:
        """The share of the income that goes into debts, this one included."""
        return (self.debt + self.payment) / self.income


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of the score: `value` is 1 at `good` and 0 at `bad`, and runs straight between them."""

    name: str
    weight: float
    measure: float
    good: float
    bad: float

    @property
    def value(self) -> float:
        return min(max((self.measure - self.bad) / (self.good - self.bad), 0.0), 1.0)

    @property
    def reason(self) -> str:
        judgement = "good" if self.value >= 0.7 else "fair" if self.value >= 0.4 else "weak"
        return f"{self.name}: {judgement} ({self.measure:.2f}; 1 point at {self.good:g}, none at {self.bad:g})"


HIGHEST_DEBT_RATIO: Final = 0.6
"""Above it an application is rejected whatever else is good."""

REVIEW_MARGIN: Final = 0.2
"""A score that is short of the threshold by no more than this is for a person to look at."""


def parts(application: Application, minimum_income: float) -> tuple[Part, ...]:
    """The parts of an application's score; the weights add up to 1."""
    yearly = application.income * 12
    return (
        Part(name="debt ratio", weight=0.40, measure=application.debt_ratio, good=0.20, bad=HIGHEST_DEBT_RATIO),
        Part(name="amount to yearly income", weight=0.25, measure=application.amount / yearly, good=0.30, bad=1.50),
        Part(name="income", weight=0.20, measure=application.income, good=4 * minimum_income, bad=minimum_income),
        Part(name="term in months", weight=0.15, measure=application.term, good=12, bad=72),
    )


def score(of: tuple[Part, ...]) -> float:
    """The weighted sum of the parts."""
    return round(sum(part.weight * part.value for part in of), 4)


def decide(reached: float, debt_ratio: float, threshold: float) -> str:
    """approve from the threshold on, review within the margin below it, else reject."""
    if debt_ratio > HIGHEST_DEBT_RATIO:
        return "reject"
    if reached >= threshold:
        return "approve"
    return "review" if reached >= threshold - REVIEW_MARGIN else "reject"
