"""Callbacks: how the answer of an agent that has accepted comes in, once, by a signed URL or from within."""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import json
from dataclasses import dataclass, replace
from typing import Any, Final

from aispine import secrets, settings
from aispine.agent import registry
from aispine.agent.contract import (
    AgentAccepted,
    AgentFailure,
    AgentReply,
    AgentRequest,
    ContractError,
    Ended,
    FailureCode,
    Outcome,
    read_reply,
)
from aispine.agent.definition import AgentVersion
from aispine.agent.schema import output_misfits
from aispine.engine import confidence, plans
from aispine.engine.advance import advance
from aispine.engine.attempts import CALLED_BACK
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import CalledBack
from aispine.engine.queueing import agent_reference
from aispine.engine.terms import Terms
from aispine.errors import Conflict, ExpressionError, Gone, InvalidInput, NotFound
from aispine.flow.model import Node
from aispine.flow.state import ExecutionState, NodeState, Transition
from aispine.settings import Settings
from aispine.store import executions, node_results
from aispine.store.models import ExecutionRow

PATH: Final = "/api/v1/callbacks"
_PURPOSE: Final = b"aispine callback"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """The attempt that a callback answers; whoever has its token may do so once."""

    tenant_id: str
    execution_id: str
    path: str
    attempt: int


def url(settings: Settings, execution: ExecutionState, node: NodeState) -> str | None:
    """Where the agent of this attempt posts its answer later; None where nobody knows where the API is."""
    base = settings.public_url or settings.url
    if base is None or settings.encryption_keys is None:
        return None
    ticket = Ticket(
        tenant_id=execution.tenant_id, execution_id=execution.execution_id, path=node.path, attempt=node.attempt
    )
    return f"{base.rstrip('/')}{PATH}/{issue(ticket, settings.encryption_keys)}"


def issue(ticket: Ticket, keys: str) -> str:
    """The token of a ticket, signed with the first of `keys`."""
    said = json.dumps([ticket.tenant_id, ticket.execution_id, ticket.path, ticket.attempt], separators=(",", ":"))
    return f"{_text(said.encode())}.{_text(_signature(said.encode(), _keys(keys)[0]))}"


def read(token: str, keys: str | None) -> Ticket:
    """The ticket of a token. Raises `NotFound` when none of `keys` signed it."""
    said, _, signed = token.partition(".")
    try:
        content, signature = _bytes(said), _bytes(signed)
    except (ValueError, binascii.Error):
        raise _forged() from None
    if not any(hmac.compare_digest(_signature(content, key), signature) for key in _keys(keys or "")):
        raise _forged()
    tenant_id, execution_id, path, attempt = json.loads(content)
    return Ticket(tenant_id=tenant_id, execution_id=execution_id, path=path, attempt=attempt)


def answer(dispatch: Dispatch, ticket: Ticket, body: Any) -> Transition:
    """Ends an attempt with an agent's answer, which has the form of one to `POST /execute`.

    Raises `InvalidInput` for an answer that does not fit the contract, and as `complete` does; then the ticket is
    good for another answer.
    """
    try:
        outcome = read_reply(body, ticket.execution_id)
    except ContractError as error:
        raise InvalidInput(f"the answer does not fit the contract: {error}", field="body") from None
    return complete(dispatch, ticket, outcome)


def complete(dispatch: Dispatch, ticket: Ticket, outcome: Ended) -> Transition:
    """Ends the attempt of an agent that had accepted.

    Raises `Conflict` when the callback was used already, `Gone` when the attempt has ended otherwise, and
    `InvalidInput` when the output does not fit the agent's `output_schema`.
    """
    execution, spec = _asked(dispatch, ticket)
    if isinstance(outcome, AgentReply):
        _check_output(dispatch, execution, spec, outcome)
    outcome = _without_secrets(dispatch, execution, spec, outcome)
    fact = CalledBack(path=ticket.path, attempt=ticket.attempt, outcome=outcome)
    after = advance(
        dispatch.store,
        ticket.execution_id,
        [fact],
        Terms(owner="callback"),
        rows=(ticket.path,),
        tenant_id=dispatch.tenant_id,
    )
    if after is None or after.empty:
        raise _refusal(dispatch, ticket)
    dispatch.follow(after)
    return after


def limited(accepted: AgentAccepted, request: AgentRequest, spec: Node, agent: AgentVersion, elapsed: float) -> Outcome:
    """How long the node waits: what the flow says of the node binds the agent, which may need longer otherwise."""
    if request.callback_url is None and agent.kind == "http":
        message = "the agent accepted, but AISPINE_PUBLIC_URL does not say where it can call back"
        return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message)
    left = max(request.timeout - elapsed, 0.001)
    said = accepted.timeout or left
    return replace(accepted, timeout=min(said, left) if spec.timeout else said)


def _asked(dispatch: Dispatch, ticket: Ticket) -> tuple[ExecutionRow, Node]:
    """The execution of the attempt, and what the flow says of its node."""
    with dispatch.store.session(dispatch.tenant_id) as session:
        row = executions.find(session, ticket.execution_id)
    if row is None:
        raise Gone("the execution is gone")
    return row, plans.find(dispatch.store, row.flow_version_id, dispatch.tenant_id).node(ticket.path)


def _check_output(dispatch: Dispatch, execution: ExecutionRow, spec: Node, reply: AgentReply) -> None:
    version = execution.agents[agent_reference(spec)]["version"]
    with dispatch.store.session(dispatch.tenant_id) as session:
        agent = registry.get(session, execution.tenant_id, str(spec.agent_id), version)
    misfits = output_misfits(agent, reply.output)
    if misfits:
        raise InvalidInput(f"the output does not fit the output_schema: {misfits[0]}", field="output.data")


def _without_secrets(dispatch: Dispatch, execution: ExecutionRow, spec: Node, outcome: Ended) -> Ended:
    """What the agent got in confidence is hidden in what it says later, too, while it is still known."""
    try:
        opened = secrets.open_for(dispatch.store, execution.tenant_id, spec.secrets, settings.current())
    except ExpressionError:
        return outcome
    return confidence.hidden(outcome, opened)


def _refusal(dispatch: Dispatch, ticket: Ticket) -> Conflict | Gone:
    with dispatch.store.session(dispatch.tenant_id) as session:
        row = node_results.find(session, ticket.execution_id, ticket.path)
    if row is not None and (row.state or {}).get(CALLED_BACK) == ticket.attempt:
        return Conflict("this callback was used already")
    return Gone("nothing waits for this callback any more", hint="A later attempt has a callback of its own.")


def _forged() -> NotFound:
    return NotFound("there is no such callback", field="token")


@functools.lru_cache(maxsize=4)
def _keys(keys: str) -> tuple[bytes, ...]:
    """One signing key for each encryption key, so that neither serves for the other's purpose."""
    parts = (part.strip() for part in keys.split(","))
    return tuple(hmac.digest(part.encode(), _PURPOSE, "sha256") for part in parts if part)


def _signature(content: bytes, key: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(f"{text}{'=' * (-len(text) % 4)}", altchars=b"-_", validate=True)
