"""The tables of agents and their versions; a tenant sees its own and the platform's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.flow.standing import UNDER_TEST, AgentStatus
from aispine.flow.status import ExecutionStatus
from aispine.store.database import link
from aispine.store.models import PLATFORM, AgentMetricRow, AgentRow, AgentVersionRow, ExecutionRow
from aispine.store.prepared import Statement

ACTIVE: Final = AgentStatus.ACTIVE.value
_SYNC_LOCK: Final = 7_314_100_802
"""Names the advisory lock under which one process at a time registers folders."""


def lock_sync(session: Session) -> None:
    """Waits until no other process registers folders, until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SYNC_LOCK})


def versions(session: Session, tenant_id: str, agent_id: str | None = None) -> Sequence[AgentVersionRow]:
    """What the tenant sees: of one agent or of all, whatever their status, retired or not, by agent and age."""
    return of_agents(session, tenant_id, None if agent_id is None else (agent_id,))


def of_agents(session: Session, tenant_id: str, agent_ids: Collection[str] | None) -> Sequence[AgentVersionRow]:
    """The same of several agents; of all where None."""
    named = {"tenant_id": tenant_id} | ({} if agent_ids is None else {"agent_ids": list(agent_ids)})
    return session.scalars(_VERSIONS if agent_ids is None else _VERSIONS_OF, named).all()


def choices(session: Session, tenant_id: str, agent_ids: Collection[str]) -> Sequence[Any]:
    """The same in use, as plain rows with what a start looks at: it asks for them every time."""
    return _CHOICES.all(link(session), [tenant_id, PLATFORM], list(agent_ids))


_CHOICES: Final = Statement(
    "agent_choices",
    "text[], text[]",
    """
    SELECT tenant_id, agent_id, version, kind, status, status_reason, deprecated_at, deprecation, retired_at,
      definition, credential
    FROM agent_versions WHERE tenant_id = ANY($1) AND agent_id = ANY($2) AND retired_at IS NULL
    ORDER BY agent_id, agent_version_id
    """,
)
_VERSIONS: Final = (
    select(AgentVersionRow)
    .where(AgentVersionRow.tenant_id.in_((bindparam("tenant_id"), PLATFORM)))
    .order_by(AgentVersionRow.agent_id, AgentVersionRow.agent_version_id)
    .execution_options(populate_existing=True)
)
_VERSIONS_OF: Final = _VERSIONS.where(AgentVersionRow.agent_id.in_(bindparam("agent_ids", expanding=True)))


def matching(session: Session, tenant_id: str, words: str | None, capabilities: Collection[str]) -> Mapping[int, float]:
    """The versions that fit words, as people write them into a search, and can do all of that; with how well they fit.

    Words are found as they are and by their English stem.
    """
    row = AgentVersionRow
    asked = func.websearch_to_tsquery(_SIMPLE, words).op("||")(func.websearch_to_tsquery(_ENGLISH, words))
    rank: ColumnElement[float] = func.ts_rank(row.search, asked) if words else literal_column("0.0")
    statement = select(row.agent_version_id, rank).where(row.tenant_id.in_((tenant_id, PLATFORM)))
    statement = statement.where(row.retired_at.is_(None))
    if words:
        statement = statement.where(row.search.op("@@")(asked))
    if capabilities:
        statement = statement.where(row.capabilities.contains(list(capabilities)))
    return {version_id: float(found) for version_id, found in session.execute(statement)}


_SIMPLE: Final[Any] = literal_column("'simple'::regconfig")
_ENGLISH: Final[Any] = literal_column("'english'::regconfig")


def names(session: Session, tenant_id: str, version_ids: Iterable[int]) -> Sequence[str]:
    """The ids of the agents that have these versions."""
    row = AgentVersionRow
    statement = select(row.agent_id).where(row.tenant_id.in_((tenant_id, PLATFORM)))
    return session.scalars(statement.where(row.agent_version_id.in_(list(version_ids))).distinct()).all()


def govern(session: Session) -> None:
    """Lets the transaction change everybody's versions, the platform's too; who may is for the caller to say."""
    session.execute(text("SELECT set_config('aispine.governs', 'agents', true)"))


def owned(session: Session, owner: str, agent_id: str) -> Sequence[AgentVersionRow]:
    """Every version of an owner's agent, held until the transaction ends."""
    row = AgentVersionRow
    statement = select(row).where(row.tenant_id == owner, row.agent_id == agent_id, row.retired_at.is_(None))
    locked = statement.order_by(row.agent_version_id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).all()


def in_folders(session: Session, folders: Sequence[str]) -> Sequence[AgentVersionRow]:
    """The platform's versions in use that were registered from one of these folders."""
    statement = select(AgentVersionRow).where(
        AgentVersionRow.tenant_id == PLATFORM,
        AgentVersionRow.retired_at.is_(None),
        AgentVersionRow.definition["folder"].as_string().in_(folders),
    )
    return session.scalars(statement).all()


def retire(session: Session, row: AgentVersionRow) -> None:
    """Keeps the version for the executions that have it, and out of what new ones find."""
    where = AgentVersionRow.agent_version_id == row.agent_version_id
    session.execute(update(AgentVersionRow).where(where).values(retired_at=func.clock_timestamp()))


def save_agent(session: Session, tenant_id: str, agent_id: str, name: str, description: str | None) -> None:
    """Makes the agent, or sets what its newest version says about it."""
    values = {"name": name, "description": description or ""}
    statement = insert(AgentRow).values(tenant_id=tenant_id, agent_id=agent_id, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "agent_id"], set_={**values, "updated_at": func.now()}
        )
    )


def save_version(session: Session, row: Mapping[str, Any]) -> None:
    """Makes the version, or replaces what it says and brings it back if it was retired.

    Its status stays, unless it speaks of content that is replaced.
    """
    values = {**row, "search": _searched(row)}
    statement = insert(AgentVersionRow).values(**values)
    given = {name: value for name, value in values.items() if name not in {*_NAMES, "status", "type"}}
    other = AgentVersionRow.content_hash != statement.excluded.content_hash
    under_test = AgentVersionRow.status.in_([status.value for status in UNDER_TEST])
    kept = {
        "status": case((other & under_test, AgentStatus.DRAFT.value), else_=AgentVersionRow.status),
        "type": case((other, statement.excluded.type), else_=AgentVersionRow.type),
        "retired_at": None,
    }
    session.execute(statement.on_conflict_do_update(index_elements=_NAMES, set_={**given, **kept}))


_NAMES: Final = ("tenant_id", "agent_id", "version")


def _searched(row: Mapping[str, Any]) -> ColumnElement[Any]:
    """What a version is found by: the words of its id and name first, then what it can do, then its description."""
    said = row["definition"]
    weighed = (
        (row["agent_id"], "A"),
        (said.get("name") or "", "A"),
        (" ".join(row["capabilities"]), "B"),
        (said.get("description") or "", "C"),
    )
    parts = [
        func.setweight(func.to_tsvector(language, str(words).translate(_BLANKS)), literal_column(f"'{weight}'"))
        for language in (_SIMPLE, _ENGLISH)
        for words, weight in weighed
    ]
    found: ColumnElement[Any] = parts[0]
    for part in parts[1:]:
        found = found.op("||")(part)
    return found


_BLANKS: Final = str.maketrans(dict.fromkeys('[]",._-/', " "))


def remove(session: Session, tenant_id: str, agent_id: str) -> bool:
    """Deletes the agent and its versions; False when the tenant has none of that id."""
    of_it = (AgentMetricRow.tenant_id == tenant_id, AgentMetricRow.agent_id == agent_id)
    session.execute(delete(AgentMetricRow).where(*of_it))
    statement = delete(AgentRow).where(AgentRow.tenant_id == tenant_id, AgentRow.agent_id == agent_id)
    return session.scalar(statement.returning(AgentRow.agent_id)) is not None


def in_use(session: Session, tenant_id: str, agent_id: str) -> bool:
    """True when an execution that has not ended was planned with this agent."""
    open_ = [status.value for status in ExecutionStatus if not status.terminal]
    named = cast(ExecutionRow.agents, Text).contains(f'"{agent_id}@', autoescape=True)
    where = (ExecutionRow.tenant_id == tenant_id, ExecutionRow.status.in_(open_), named)
    return bool(session.scalar(select(exists().where(*where))))
