"""Echo: returns its input. Tests and benchmarks lean on it."""

import time
from typing import Any

from aispine.agent import AgentError, Context


def execute(input: Any, config: dict[str, Any], context: Context) -> Any:
    """`sleep_seconds` sleeps first, `fail_first: N` fails the first N attempts, `output` is returned in its place."""
    sleep = config.get("sleep_seconds", 0)
    if sleep:
        time.sleep(sleep)
    fail_first = config.get("fail_first", 0)
    if context.attempt <= fail_first:
        raise AgentError(f"attempt {context.attempt} of {fail_first} that fail as asked", code="unavailable")
    return config.get("output", input)
