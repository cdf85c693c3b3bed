"""Finding agents: by words, by what they can do, and by how they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from aispine.agent import record
from aispine.agent.record import Registered
from aispine.store import agents
from aispine.store.models import AgentVersionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is looked for; all of it must fit. `words` are as people write them into a search."""

    words: str | None = None
    capabilities: tuple[str, ...] = ()
    kind: str | None = None
    type: str | None = None
    status: str | None = None
    pool: str | None = None
    official: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An agent, and how well it fits the words: more is better, 0 where none were given."""

    registered: Registered
    rank: float = 0.0

    @property
    def place(self) -> tuple[float, str]:
        """What orders what was found."""
        return -self.rank, self.registered.agent.agent_id


def find(session: Session, tenant_id: str, wanted: Wanted) -> list[Found]:
    """The agents that the tenant can see and that fit, the best first, then by id; its own hide the platform's of the
    same id once they can be called. What is looked at is the version that is shown of each."""
    ranks = None
    if wanted.words or wanted.capabilities:
        ranks = agents.matching(session, tenant_id, wanted.words, wanted.capabilities)
    rows: dict[str, list[AgentVersionRow]] = {}
    for row in record.current(agents.of_agents(session, tenant_id, _named(session, tenant_id, ranks))):
        rows.setdefault(row.agent_id, []).append(row)
    groups = [shown for of_one in rows.values() if (shown := _shown(of_one, wanted.status))]
    found = [
        Found(registered=record.registered(group), rank=(ranks or {}).get(_id(group), 0.0))
        for group in groups
        if ranks is None or _id(group) in ranks
    ]
    return sorted((each for each in found if _fits(each.registered, wanted)), key=lambda each: each.place)


def _named(session: Session, tenant_id: str, ranks: Iterable[int] | None) -> set[str] | None:
    return None if ranks is None else set(agents.names(session, tenant_id, ranks))


def _shown(rows: Sequence[AgentVersionRow], status: str | None) -> list[AgentVersionRow]:
    """Of one agent's rows those that are looked at: of the status, else those that flows find, else all."""
    if status is not None:
        return record.visible([row for row in rows if row.status == status])
    return record.visible(record.found(rows) or list(rows))


def _id(rows: Sequence[AgentVersionRow]) -> int:
    return record.highest(rows).agent_version_id


def _fits(registered: Registered, wanted: Wanted) -> bool:
    agent = registered.agent
    pairs = (
        (wanted.kind, agent.kind),
        (wanted.type, registered.type),
        (wanted.pool, agent.pool),
        (wanted.official, registered.official),
    )
    return all(asked is None or asked == has for asked, has in pairs)
