"""Python agents: a function in a folder, called in the worker's own process."""

from __future__ import annotations

import logging
import time
import traceback
from types import TracebackType
from typing import Any, Final

from aispine.agent import deadline, module
from aispine.agent.around import Around
from aispine.agent.author import Accepted, AgentError, Context, Reply
from aispine.agent.capture import LOGGER, Capture, capturing
from aispine.agent.contract import (
    AgentFailure,
    AgentReply,
    AgentRequest,
    FailureCode,
    Outcome,
    flow_output,
    read_accepted,
)
from aispine.flow.jsonvalue import normal
from aispine.guards.aside import Overdue

RAISABLE: Final = frozenset(
    {
        FailureCode.TIMEOUT,
        FailureCode.UNAVAILABLE,
        FailureCode.RATE_LIMITED,
        FailureCode.AGENT_ERROR,
        FailureCode.REJECTED,
        FailureCode.INVALID_INPUT,
    }
)
"""The platform's codes that an agent may fail with; every other code is the agent's own."""


def execute(folder: str, entry: str, request: AgentRequest, capture: Capture, surroundings: Around) -> Outcome:
    """Calls the agent's function within the request's timeout; what it prints and logs goes to `capture`."""
    with capturing(capture):
        started = time.monotonic()
        try:
            return deadline.run(lambda: _attempt(folder, entry, request, capture, surroundings), request.timeout)
        except Overdue:
            elapsed = time.monotonic() - started
            return AgentFailure(code=FailureCode.TIMEOUT, message=f"the agent did not answer in {elapsed:.1f} s")


def _attempt(folder: str, entry: str, request: AgentRequest, capture: Capture, surroundings: Around) -> Outcome:
    try:
        function = module.load(folder, entry)
        return _outcome(function(request.input, request.config, _context(request, surroundings)))
    except AgentError as error:
        return _failure(error)
    except module.LoadError as error:
        _record(error.__cause__ or error, capture)
        return AgentFailure(code=FailureCode.AGENT_ERROR, message=_clean(str(error)))
    except SystemExit as error:
        if _is_shutdown(error):
            raise
        return AgentFailure(code=FailureCode.AGENT_ERROR, message=f"the agent called exit({error.code!r})")
    except Exception as error:  # noqa: BLE001 - recorded in the attempt's log and in the failure
        _record(error, capture)
        return AgentFailure(code=FailureCode.AGENT_ERROR, message=_clean(_headline(error)))


def _context(request: AgentRequest, surroundings: Around) -> Context:
    return Context(
        execution_id=request.execution_id,
        node_id=request.node_id,
        path=request.path,
        attempt=request.attempt,
        idempotency_key=request.idempotency_key,
        tenant_id=request.tenant_id,
        timeout=request.timeout,
        log=_log,
        files=surroundings.files,
        conversation=surroundings.conversation,
        callback_url=request.callback_url,
    )


_log = logging.getLogger(LOGGER)


def _outcome(answer: Any) -> Outcome:
    if isinstance(answer, Accepted):
        return _accepted(answer)
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    try:
        data, metadata = normal(reply.data), normal(dict(reply.metadata))
    except (ValueError, TypeError) as error:
        return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=f"the agent's answer is not JSON: {error}")
    message = None if reply.message is None else _clean(str(reply.message), limit=100_000)
    return AgentReply(output=flow_output(data, message), message=message, metadata=metadata)


def _accepted(answer: Accepted) -> Outcome:
    try:
        return read_accepted({"status": "accepted", "timeout": answer.timeout})
    except ValueError as error:
        return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=f"the agent's `Accepted`: {error}")


def _failure(error: AgentError) -> AgentFailure:
    detail = dict(error.detail or {})
    code = str(error.code)
    if code not in RAISABLE:
        detail["error_code"] = code
        code = FailureCode.AGENT_ERROR
    if error.retryable and code == FailureCode.AGENT_ERROR:
        code = FailureCode.UNAVAILABLE
    return AgentFailure(
        code=code, message=_clean(str(error.message)), retry_after=_seconds(error.retry_after), detail=_json(detail)
    )


def _json(detail: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return normal(detail) or None
    except ValueError:
        return {"unreadable": repr(detail)[:300]}


def _seconds(value: Any) -> float | None:
    """A delay that makes no sense is left out: the flow's own retry policy then says how long to wait."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= 86400 else None


def _clean(text: str, limit: int = 2000) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")[:limit]


def _headline(error: BaseException) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first[:300]}" if first else type(error).__name__


def _record(error: BaseException, capture: Capture) -> None:
    """Writes the traceback to the attempt's log, from the agent's own first line on."""
    trace = error.__traceback__
    lines = traceback.format_exception(type(error), error, trace.tb_next if trace else None)
    capture.write("".join(lines))


def _is_shutdown(error: SystemExit) -> bool:
    """True when the pool's signal handler ended the process, and not the agent: that one must be let through."""
    frame: TracebackType | None = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and "billiard" in frame.tb_frame.f_code.co_filename
