"""Echo: returns its input. Tests and benchmarks lean on it."""

import time

from aispine.agent import AgentError


def execute(input, config, context):
    """`sleep_seconds` sleeps first, `fail_first: N` fails the first N attempts, `output` is returned in place."""
    sleep = config.get("sleep_seconds", 0)
    if sleep:
        time.sleep(sleep)
    fail_first = config.get("fail_first", 0)
    if context.attempt <= fail_first:
        raise AgentError(f"attempt {context.attempt} of {fail_first} that fail as asked", code="unavailable")
    return config.get("output", input)
