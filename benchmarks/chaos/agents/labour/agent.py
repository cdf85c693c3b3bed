"""Labour: adds to a number. Every call is a line in a ledger of its own, whatever the store says of it later."""

import json
import os
import secrets
import time
from typing import Any

from aispine.agent import AgentError, Context


def execute(input: Any, config: dict[str, Any], context: Context) -> Any:  # noqa: A002 - the name that the contract gives
    """`add` is added to `input.value`; `seconds` it takes; `fail_first: N` fails the first N attempts."""
    fails = context.attempt <= config.get("fail_first", 0)
    call = secrets.token_hex(8)
    _write({"key": context.idempotency_key, "attempt": context.attempt, "call": call, "fails": fails})
    time.sleep(config.get("seconds", 0))
    if fails:
        raise AgentError(f"attempt {context.attempt} fails as asked", code="unavailable")
    return {"value": input["value"] + config.get("add", 1), "attempt": context.attempt, "call": call}


def _write(line: dict[str, Any]) -> None:
    ledger = os.open(os.environ["CHAOS_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(ledger, (json.dumps(line) + "\n").encode())
    finally:
        os.close(ledger)
