"""The rows of agents and the values they stand for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine.agent import manifest
from aispine.agent.definition import KINDS, AgentVersion, Kind
from aispine.agent.folder import is_built_in
from aispine.flow import semver
from aispine.store import agents
from aispine.store.models import PLATFORM, AgentVersionRow

_BUILT_IN: Final = "built_in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """An agent as a tenant sees it: its newest active version, and which versions there are."""

    agent: AgentVersion
    official: bool
    created_at: datetime
    versions: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The form for the API: without the key, and without paths of a machine."""
        return {
            **manifest.as_definition(self.agent),
            "kind": self.agent.kind,
            "pool": self.agent.pool,
            "official": self.official,
            "has_api_key": self.agent.credential is not None,
            "versions": list(self.versions),
            "created_at": self.created_at.isoformat(),
        }


def active(rows: Iterable[AgentVersionRow]) -> list[AgentVersionRow]:
    """Those that new executions find."""
    return [row for row in rows if row.status == agents.ACTIVE]


def visible(rows: Sequence[AgentVersionRow]) -> list[AgentVersionRow]:
    """Of one agent's rows, the tenant's own when there are any."""
    own = [row for row in rows if row.tenant_id != PLATFORM]
    return own or list(rows)


def newest(rows: Sequence[AgentVersionRow]) -> AgentVersion:
    """The highest version of one agent's rows."""
    return value(max(rows, key=lambda row: semver.parse_version(row.version).precedence_key))


def registered(rows: Sequence[AgentVersionRow]) -> Registered:
    """One agent's rows as its tenant sees them."""
    return Registered(
        agent=newest(rows),
        official=rows[0].tenant_id == PLATFORM and all(row.definition.get(_BUILT_IN) for row in rows),
        created_at=rows[0].created_at,
        versions=tuple(row.version for row in rows),
    )


def value(row: AgentVersionRow) -> AgentVersion:
    """The value that a row stands for."""
    kind: Kind = next(kind for kind in KINDS if kind == row.kind)
    folder = row.definition.get("folder")
    return manifest.build(row.definition, kind=kind, folder=folder, credential=row.credential)


def save(session: Session, tenant_id: str, agent: AgentVersion) -> None:
    """Makes or replaces the rows of an agent and its version."""
    agents.save_agent(session, tenant_id, agent.agent_id, agent.name, agent.description)
    agents.save_version(
        session,
        tenant_id,
        agent.agent_id,
        agent.version,
        kind=agent.kind,
        pool=agent.pool,
        capabilities=list(agent.capabilities),
        definition=_definition(agent),
        credential=agent.credential,
        content_hash=content_hash(agent),
    )


def _definition(agent: AgentVersion) -> dict[str, Any]:
    """What is stored: where the folder is too, and whether it came with AI Spine, which other machines cannot tell."""
    place = {"folder": agent.folder, _BUILT_IN: is_built_in(agent.folder)} if agent.folder else {}
    return manifest.as_definition(agent) | place


def content_hash(agent: AgentVersion) -> str:
    """Tells whether two registrations say the same; the API key is no part of it."""
    return hashlib.sha256(json.dumps(_definition(agent), sort_keys=True).encode()).hexdigest()
