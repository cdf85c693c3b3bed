"""What an attempt has spent so far, what is left of the budget, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aispine.agent.llm.recipe import Budget
from aispine.flow.outcome import AgentFailure, FailureCode
from aispine.model.chat import Model, Usage
from aispine.model.stream import guess


class Spending:
    """Tokens and money of one node: those of the attempts before, and what this one adds."""

    def __init__(self, budget: Budget, before: Mapping[str, Any]) -> None:
        self._budget = budget
        self._tokens_before = _number(before.get("tokens_used"))
        self._cost_before = _number(before.get("cost_usd"))
        self.prompt = self.completion = 0
        self.cost: float | None = None
        self.estimated = False

    def add(self, usage: Usage, model: Model) -> None:
        """Counts one turn."""
        self.prompt += usage.prompt
        self.completion += usage.completion
        self.estimated = self.estimated or usage.estimated
        if model.prices is not None:
            self.cost = (self.cost or 0.0) + usage.cost(model.prices)

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion

    def room(self, model: Model, characters: int) -> int | None:
        """The tokens that a model may still write when it is asked so much; None where nothing limits it."""
        asked, rooms = guess(characters), []
        if self._budget.max_tokens is not None:
            rooms.append(self._budget.max_tokens - self._tokens_before - self.tokens - asked)
        if self._budget.max_cost_usd is not None and model.prices is not None:
            money = self._budget.max_cost_usd - self._cost_before - (self.cost or 0.0)
            money -= Usage(prompt=asked).cost(model.prices)
            price = model.prices.output / 1_000_000
            rooms.append((int(money / price) if price else 10**9) if money >= 0 else 0)
        return int(min(rooms)) if rooms else None

    def exceeded(self) -> AgentFailure:
        """The failure of a node whose budget is spent."""
        limits = [f"{self._budget.max_tokens} tokens"] if self._budget.max_tokens is not None else []
        limits += [f"{self._budget.max_cost_usd:g} USD"] if self._budget.max_cost_usd is not None else []
        spent = f"{self._tokens_before + self.tokens:.0f} tokens"
        if self.cost is not None or self._cost_before:
            spent += f" and {self._cost_before + (self.cost or 0.0):.6f} USD"
        message = f"the budget of {' and '.join(limits)} does not allow another step; {spent} are spent"
        return AgentFailure(code=FailureCode.BUDGET_EXCEEDED, message=message)

    def told(self) -> dict[str, Any]:
        """What this attempt spent, as a node's metadata say it."""
        told: dict[str, Any] = {"tokens_used": self.tokens}
        told |= {"prompt_tokens": self.prompt, "completion_tokens": self.completion}
        if self.cost is not None:
            told["cost_usd"] = round(self.cost, 9)
        return told | ({"estimated": True} if self.estimated else {})


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
