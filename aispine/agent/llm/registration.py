"""Llm agents of tenants: registered over the API, since they need no folder on the machines that run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from aispine.agent import manifest, record, registry
from aispine.agent.definition import AgentVersion
from aispine.agent.record import Registered
from aispine.errors import VersionConflict
from aispine.flow import semver
from aispine.flow.standing import AgentStatus
from aispine.store import agents
from aispine.store.models import AgentVersionRow


def register(
    session: Session,
    tenant_id: str,
    values: Mapping[str, Any],
    *,
    replaces: bool = False,
    status: AgentStatus = AgentStatus.ACTIVE,
) -> Registered:
    """Registers a version of an llm agent; the same content again changes nothing. `status` is that of a new version.

    Raises `InvalidAgent` with every problem, and `VersionConflict` when the version is there with other content and
    `replaces` is false.
    """
    agent = manifest.definition({name: value for name, value in values.items() if value is not None}, kind="llm")
    row = _own(session, tenant_id, agent)
    if row is not None and not replaces and row.content_hash != record.content_hash(agent):
        raise VersionConflict(
            f"version {agent.version} of agent `{agent.agent_id}` is registered with other content",
            field="version",
            hint=f"Set `version: {semver.next_patch(agent.version)}`, or update this one.",
        )
    record.save(session, tenant_id, agent, status)
    return registry.own(session, tenant_id, agent.agent_id)


def update(session: Session, tenant_id: str, current: AgentVersion, values: Mapping[str, Any]) -> Registered:
    """Changes what is registered about the tenant's own agent: what is left out stays, null forgets it."""
    return register(session, tenant_id, {**manifest.as_definition(current), **values}, replaces=True)


def _own(session: Session, tenant_id: str, agent: AgentVersion) -> AgentVersionRow | None:
    rows = agents.versions(session, tenant_id, agent.agent_id)
    return next((row for row in rows if row.tenant_id == tenant_id and row.version == agent.version), None)
