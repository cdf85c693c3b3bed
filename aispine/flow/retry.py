"""When a failed attempt is tried again."""

from __future__ import annotations

import math
import random
from typing import Final

from aispine.flow.model import RetryPolicy

CODES: Final = ("timeout", "unavailable", "rate_limited", "agent_error", "invalid_response", "rejected")
"""The failures that `retry_on` may name."""


def retryable(policy: RetryPolicy, code: str) -> bool:
    """True when the policy tries again after this failure at all."""
    return code in policy.retry_on


def delay(policy: RetryPolicy, attempt: int, rng: random.Random, *, elapsed: float = 0.0) -> float | None:
    """Seconds to wait after the 1-based `attempt` failed, None when the policy gives up.

    `elapsed` is the time in seconds since the first attempt started; the next one must start within `max_elapsed`.
    """
    if attempt >= policy.max_attempts:
        return None
    pause = full_delay(policy, attempt)
    if policy.jitter == "full":
        pause = rng.uniform(0.0, pause)
    if policy.max_elapsed is not None and elapsed + pause > policy.max_elapsed:
        return None
    return pause


def full_delay(policy: RetryPolicy, attempt: int) -> float:
    """The delay in seconds after the 1-based `attempt`, before jitter."""
    factors = {"fixed": 1.0, "linear": float(attempt), "exponential": _power(policy.multiplier, attempt - 1)}
    return min(policy.initial_delay * factors[policy.backoff], policy.max_delay)


def _power(base: float, exponent: int) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
