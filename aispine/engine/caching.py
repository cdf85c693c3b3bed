"""Answers of agents that a node keeps for a while: the same version asked the same again is not asked.

What was asked is kept as a keyed hash, so that nobody who reads the table can guess it. What was answered is kept
without secrets, as the node itself keeps it, for its tenant alone, and goes with the execution that it comes from.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aispine.agent import record
from aispine.agent.call import Called
from aispine.agent.contract import AgentReply, AgentRequest
from aispine.agent.definition import AgentVersion
from aispine.engine import confidence
from aispine.engine.patience import patiently
from aispine.engine.spending import SPENT
from aispine.secrets import Opened
from aispine.settings import Settings
from aispine.store import cached_answers
from aispine.store.cached_answers import CachedAnswer
from aispine.store.database import Store, dumps

CACHED: Final = "cached"
"""What a node's metadata say when its answer was a kept one."""
_PURPOSE: Final = b"aispine cache"


def around(
    store: Store,
    settings: Settings,
    agent: AgentVersion,
    request: AgentRequest,
    opened: Opened,
    ttl: float | None,
    call: Callable[[], Called],
) -> Called:
    """The answer that was kept, if there is one; else the agent is called and its success kept for `ttl` seconds.

    `opened` are the secrets in the request: they are part of what was asked, and not of what is kept.
    """
    if ttl is None or settings.encryption_keys is None:
        return call()
    key = key_of(agent, request, settings.encryption_keys)
    kept = patiently(cached_answers.find, store, request.tenant_id, key)
    if kept is not None:
        return Called(outcome=_reply(kept), kept=True)
    called = call()
    if isinstance(called.outcome, AgentReply):
        reply = confidence.hidden(called.outcome, opened)
        if not holds_file(reply.output) and len(dumps(reply.output)) <= settings.max_value_bytes:
            patiently(cached_answers.put, store, _answer(request, key, reply), ttl)
    return called


def key_of(agent: AgentVersion, request: AgentRequest, keys: str) -> str:
    """What stands for the question: the tenant, the very definition of the agent, the input and the config."""
    asked = [
        request.tenant_id,
        *(agent.agent_id, agent.version, record.content_hash(agent)),
        *(request.input, dict(request.config)),
    ]
    secret = hmac.digest(keys.partition(",")[0].strip().encode(), _PURPOSE, "sha256")
    return hmac.new(secret, json.dumps(asked, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def holds_file(value: Any) -> bool:
    """True when a file is referred to anywhere inside: it may be gone before the answer is."""
    if isinstance(value, Mapping):
        return "file_id" in value or any(map(holds_file, value.values()))
    return isinstance(value, list) and any(map(holds_file, value))


def _answer(request: AgentRequest, key: str, reply: AgentReply) -> CachedAnswer:
    return CachedAnswer(
        tenant_id=request.tenant_id,
        key=key,
        execution_id=request.execution_id,
        output=reply.output,
        message=reply.message,
        metadata=dict(reply.metadata),
    )


def _reply(kept: CachedAnswer) -> AgentReply:
    """Nothing was spent this time."""
    told = {name: value for name, value in kept.metadata.items() if name not in SPENT}
    return AgentReply(output=kept.output, message=kept.message, metadata={**told, CACHED: True})
