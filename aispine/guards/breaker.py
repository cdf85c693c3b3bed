"""Circuit breakers, one for each callee and shared by all processes: who fails again and again is left in peace.

Five failures in a row open a circuit for a minute; nobody calls meanwhile. After it one probe goes through: its success
closes the circuit, its failure opens it for another minute. Without Redis every call goes through.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from aispine.flow.outcome import AgentFailure, FailureCode
from aispine.guards.shared import Shared

FAILURES: Final = 5
OPEN_SECONDS: Final = 60.0
_FORGET_SECONDS: Final = 600.0
"""After so long without another failure the ones before count no more."""
_GRACE: Final = 5.0
"""A probe that is not heard of for so long after its time is over is given up: its process died."""
COUNTED: Final = frozenset({FailureCode.TIMEOUT, FailureCode.UNAVAILABLE})
"""Failures that say something about the callee and not about the question."""
Result = TypeVar("Result")
State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """How a circuit stands; `seconds` until a probe may go through, zero unless it is open."""

    state: State = "closed"
    failures: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """Lets one call through; whoever has it says what came of the call."""

    name: str
    token: str
    clean: bool = False
    """True when nothing is noted of the callee, so that a success changes nothing."""


class Breaker:
    """The circuits of all callees, by names such as `tenant:agent:eddie@1.0.0`."""

    def __init__(self, shared: Shared | None = None, *, seconds: float = OPEN_SECONDS) -> None:
        self._shared = shared or Shared(None)
        self._open_for = int(seconds * 1000)

    def through(
        self, name: str, seconds: float, call: Callable[[], Result], outcome: Callable[[Result], Any]
    ) -> Result | AgentFailure:
        """Calls unless the circuit is open, then fails with `unavailable` at once; `seconds` is the call's timeout."""
        admitted = self.admit(name, seconds)
        if isinstance(admitted, Circuit):
            message = f"it failed {FAILURES} times in a row and is not called for another {admitted.seconds:.0f} s"
            return AgentFailure(code=FailureCode.UNAVAILABLE, message=message, detail={"circuit": admitted.state})
        result = call()
        self.settle(admitted, outcome(result))
        return result

    def admit(self, name: str, seconds: float) -> Admission | Circuit:
        """Lets a call through, or tells how the circuit stands that keeps it back."""
        token = secrets.token_hex(8)
        lease = int((seconds + _GRACE) * 1000)
        found = self._shared.run(_ADMIT, [_key(name)], token, lease)
        if found is None:
            return Admission(name=name, token=token, clean=True)
        verdict, number = found
        if verdict in {"open", "half_open"}:
            return Circuit(state=verdict, failures=FAILURES, seconds=number / 1000)
        return Admission(name=name, token=token, clean=verdict == "closed" and number == 0)

    def settle(self, admission: Admission, outcome: Any) -> None:
        """Notes what came of a call that was let through."""
        verdict = _verdict(outcome)
        if verdict == "ok" and admission.clean:
            return
        forget = int(_FORGET_SECONDS * 1000)
        key = _key(admission.name)
        self._shared.run(_SETTLE, [key], admission.token, verdict, FAILURES, self._open_for, forget)

    def show(self, name: str) -> Circuit | None:
        """How a circuit stands; None while Redis does not say."""
        found = self._shared.run(_SHOW, [_key(name)])
        if found is None:
            return None
        state, failures, left = found
        return Circuit(state=state, failures=failures, seconds=left / 1000)

    def reset(self, name: str) -> bool:
        """Closes a circuit and forgets its failures; False while Redis is away."""
        return self._shared.run(_RESET, [_key(name)]) is not None


def agent_name(tenant_id: str, agent_id: str, version: str) -> str:
    return f"{tenant_id}:agent:{agent_id}@{version}"


def tool_name(tenant_id: str, tool_id: str) -> str:
    return f"{tenant_id}:tool:{tool_id}"


def model_name(tenant_id: str, base_url: str, model: str) -> str:
    return f"{tenant_id}:model:{base_url}#{model}"


def _key(name: str) -> str:
    return f"aispine:circuit:{name}"


def _verdict(outcome: Any) -> str:
    if not isinstance(outcome, AgentFailure):
        return "ok"
    if outcome.code in COUNTED:
        return "failed"
    # One that was cancelled, or never sent because the guard refused it, says nothing.
    return "neither" if outcome.code in {FailureCode.CANCELLED, FailureCode.INVALID_INPUT} else "ok"


_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_ADMIT: Final = f"""{_NOW}
local found = redis.call('HMGET', KEYS[1], 'failures', 'until', 'probe_until')
if not found[2] then return {{'closed', tonumber(found[1] or '0')}} end
if now < tonumber(found[2]) then return {{'open', tonumber(found[2]) - now}} end
if found[3] and now < tonumber(found[3]) then return {{'half_open', tonumber(found[3]) - now}} end
redis.call('HSET', KEYS[1], 'probe', ARGV[1], 'probe_until', now + ARGV[2])
return {{'probe', 0}}
"""
_SETTLE: Final = f"""{_NOW}
local found = redis.call('HMGET', KEYS[1], 'until', 'probe')
local verdict = ARGV[2]
if found[1] then
  if found[2] ~= ARGV[1] then return 0 end
  if verdict == 'ok' then return redis.call('DEL', KEYS[1]) end
  redis.call('HDEL', KEYS[1], 'probe', 'probe_until')
  if verdict == 'failed' then redis.call('HSET', KEYS[1], 'until', now + ARGV[4]) end
  return 0
end
if verdict == 'ok' then return redis.call('DEL', KEYS[1]) end
if verdict == 'failed' then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  if failures >= tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], 'until', now + ARGV[4]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[5] + ARGV[4])
end
return 0
"""
_SHOW: Final = f"""{_NOW}
local found = redis.call('HMGET', KEYS[1], 'failures', 'until')
local failures = tonumber(found[1] or '0')
if not found[2] then return {{'closed', failures, 0}} end
if now < tonumber(found[2]) then return {{'open', failures, tonumber(found[2]) - now}} end
return {{'half_open', failures, 0}}
"""
_RESET: Final = "return redis.call('DEL', KEYS[1])"
