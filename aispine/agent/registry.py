"""Agents as they are registered: from folders by the platform, over HTTP by tenants; and found by id and range."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from aispine.agent import manifest, record
from aispine.agent.contract import AgentFailure, Health
from aispine.agent.definition import AgentVersion
from aispine.agent.folder import agent_folders, is_built_in
from aispine.agent.record import Registered
from aispine.errors import Conflict, Forbidden, InvalidAgent, InvalidRequest, NotFound, VersionConflict
from aispine.flow import semver
from aispine.flow.standing import AgentStatus
from aispine.settings import Settings
from aispine.store import agents
from aispine.store.models import PLATFORM, AgentVersionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Synced:
    """What came of looking through folders; a folder with problems stops no other."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    problems: tuple[InvalidAgent, ...] = ()
    hidden: tuple[str, ...] = ()
    """Built-in agents in whose place one of the user's folders is called."""


def sync_folders(session: Session, paths: Iterable[Path]) -> Synced:
    """Registers the python agents under `paths` for the platform; a later path wins over an earlier one.

    An agent of the user's folders hides every version of the built-in one with its id. A version whose folder now
    holds another version is retired. Needs the engine's login.
    """
    read, problems = _read_folders(paths)
    own = {agent.agent_id for agent in read if not is_built_in(agent.folder)}
    hidden = [agent for agent in read if agent.agent_id in own and is_built_in(agent.folder)]
    found = {(agent.agent_id, agent.version): agent for agent in read if agent not in hidden}.values()
    agents.lock_sync(session)
    before = {(row.agent_id, row.version): row for row in agents.versions(session, PLATFORM)}
    changes: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
    for agent in found:
        changes[_sync(session, agent, before.get((agent.agent_id, agent.version)))].append(_name(agent))
    _retire_gone(session, found, hidden)
    names = tuple(sorted({agent.agent_id for agent in hidden}))
    return Synced(problems=tuple(problems), hidden=names, **{change: tuple(names) for change, names in changes.items()})


def _read_folders(paths: Iterable[Path]) -> tuple[list[AgentVersion], list[InvalidAgent]]:
    found, problems = [], []
    for folder in (folder for path in paths for folder in agent_folders(path)):
        try:
            agent = manifest.read(folder)
        except InvalidAgent as error:
            problems.append(error)
        else:
            found.append(agent)
    return found, problems


def _sync(session: Session, agent: AgentVersion, row: AgentVersionRow | None) -> str:
    if row is not None and row.content_hash == record.content_hash(agent) and row.retired_at is None:
        return "unchanged"
    record.save(session, PLATFORM, agent)
    return "added" if row is None else "updated"


def _retire_gone(session: Session, found: Iterable[AgentVersion], hidden: Iterable[AgentVersion]) -> None:
    held = {(agent.agent_id, agent.version) for agent in found}
    for row in agents.in_folders(session, [agent.folder for agent in (*found, *hidden) if agent.folder]):
        if (row.agent_id, row.version) not in held:
            agents.retire(session, row)


def register_http(
    session: Session,
    tenant_id: str,
    values: Mapping[str, Any],
    settings: Settings,
    *,
    replaces: bool = False,
    status: AgentStatus = AgentStatus.ACTIVE,
) -> Registered:
    """Registers an agent that answers over HTTP, after asking it for its health.

    `values` are the keys of a definition and `api_key`; what is left out is taken from the health's answer. `status` is
    that of a new version. The same version and content again changes nothing; other content needs `replaces`, else
    `VersionConflict`. Raises `InvalidAgent` when the definition has problems or the agent does not answer as the
    contract says.
    """
    sealed = _sealed(values.get("api_key"), settings)
    given = {name: value for name, value in values.items() if name != "api_key" and value is not None}
    agent = _completed(given, sealed, settings)
    row = _own_row(session, tenant_id, agent.agent_id, agent.version)
    if row is not None:
        if "api_key" not in values:
            agent = replace(agent, credential=row.credential)
        if not replaces and (row.content_hash != record.content_hash(agent) or _other_key(row, agent, settings)):
            raise _taken(agent)
    record.save(session, tenant_id, agent, status)
    return own(session, tenant_id, agent.agent_id)


def _completed(given: Mapping[str, Any], sealed: str | None, settings: Settings) -> AgentVersion:
    endpoint_only = {"agent_id": "agent", "version": "0.0.0", "endpoint": given.get("endpoint")}
    asked = manifest.registration({**endpoint_only, **given}, credential=sealed)
    answer = _probed(asked, settings)
    for name in ("agent_id", "version"):
        if name in given and given[name] != getattr(answer, name):
            raise _refused(f"{asked.endpoint} says that its {name} is {getattr(answer, name)}, not {given[name]}", name)
    told = {
        "agent_id": answer.agent_id,
        "version": answer.version,
        "capabilities": list(answer.capabilities),
        "rate_limit": dict(answer.rate_limit) or None,
        "max_concurrency": answer.max_concurrency,
    }
    return manifest.registration({**told, **given}, credential=sealed)


def _probed(agent: AgentVersion, settings: Settings) -> Health:
    answer = _health(agent, settings)
    if isinstance(answer, AgentFailure):
        raise _refused(f"{agent.endpoint}/health: {answer.message}", "endpoint")
    if not answer.ready:
        raise _refused(f"{agent.endpoint}/health says that the agent is not ready", "endpoint")
    return answer


def _refused(message: str, field: str) -> InvalidAgent:
    return InvalidAgent(message, field=field, errors=[{"field": field, "message": message}])


def _sealed(api_key: Any, settings: Settings) -> str | None:
    if api_key is None:
        return None
    if not isinstance(api_key, str):
        raise InvalidRequest("`api_key` must be a text", field="api_key")
    from aispine.agent import credential

    return credential.seal(api_key, settings.encryption_keys)


def _other_key(row: AgentVersionRow, agent: AgentVersion, settings: Settings) -> bool:
    """Compares what was encrypted: each encryption of the same key looks different."""
    if agent.credential == row.credential:
        return False
    return _opened(row.credential, settings) != _opened(agent.credential, settings)


def _opened(sealed: str | None, settings: Settings) -> str | None:
    from aispine.agent import credential

    return credential.open_(sealed, settings.encryption_keys) if sealed else None


def _health(agent: AgentVersion, settings: Settings) -> Health | AgentFailure:
    # Here and above not at the top, since most processes look agents up and never speak to one: 8 MB each.
    from aispine.agent import http

    return http.health(agent, settings)


def _taken(agent: AgentVersion) -> VersionConflict:
    return VersionConflict(
        f"version {agent.version} of agent `{agent.agent_id}` is registered with other content",
        field="version",
        hint=f"Let the agent answer with a new version such as {semver.next_patch(agent.version)}, or update this one.",
    )


def update(
    session: Session, tenant_id: str, agent_id: str, values: Mapping[str, Any], settings: Settings
) -> Registered:
    """Changes what is registered about the tenant's own agent; what is left out stays, `api_key: None` forgets it."""
    current = own(session, tenant_id, agent_id).agent
    if values.get("agent_id", agent_id) != agent_id:
        raise InvalidRequest("`agent_id` cannot be changed", field="agent_id", hint="Register another agent.")
    if current.kind == "llm":
        from aispine.agent.llm import registration  # Here, since it stands on this module.

        return registration.update(session, tenant_id, current, values)
    kept = {name: value for name, value in manifest.as_definition(current).items() if name != "version"}
    if "api_key" not in values and current.credential is not None:
        values = {**values, "api_key": _opened(current.credential, settings)}
    return register_http(session, tenant_id, {**kept, **values}, settings, replaces=True)


def delete(session: Session, tenant_id: str, agent_id: str) -> None:
    """Deletes the tenant's own agent with its versions. Raises `Conflict` while an execution still needs it."""
    own(session, tenant_id, agent_id)
    if agents.in_use(session, tenant_id, agent_id):
        raise Conflict(
            f"agent `{agent_id}` is used by an execution that has not ended",
            hint="Wait for it or cancel it: `aispine execution list --status running`.",
        )
    agents.remove(session, tenant_id, agent_id)


def show(session: Session, tenant_id: str, agent_id: str) -> Registered:
    """The agent as the tenant sees it. Raises `NotFound`."""
    return record.registered(_rows(session, tenant_id, agent_id))


def own(session: Session, tenant_id: str, agent_id: str) -> Registered:
    """The tenant's own agent, drafts too. Raises `NotFound`, and `Forbidden` for one of the platform."""
    rows = [row for row in _rows(session, tenant_id, agent_id, drafts=True) if row.tenant_id == tenant_id]
    if not rows:
        raise Forbidden(f"agent `{agent_id}` comes from a folder of the stack and is changed there")
    return record.registered(rows)


def resolve(session: Session, tenant_id: str, agent_id: str, range_: str = semver.ANY) -> AgentVersion:
    """The highest version in the range, an active one if there is any. Raises `NotFound` with what there is instead."""
    return resolved(session, tenant_id, agent_id, range_).agent


def resolved(session: Session, tenant_id: str, agent_id: str, range_: str = semver.ANY) -> Standing:
    """As `resolve`, with how the version stands."""
    return _choose(session, tenant_id, agent_id, range_, agents.versions(session, tenant_id, agent_id))


def resolve_all(
    session: Session, tenant_id: str, wanted: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], AgentVersion]:
    """As `resolve` for several agents, each with a range, all read at once."""
    if not wanted:
        return {}
    rows: dict[str, list[AgentVersionRow]] = {agent_id: [] for agent_id, _ in wanted}
    for row in agents.choices(session, tenant_id, rows):
        rows[row.agent_id].append(row)
    return {
        (agent_id, range_): _choose(session, tenant_id, agent_id, range_, rows[agent_id]).agent
        for agent_id, range_ in wanted
    }


def _choose(
    session: Session, tenant_id: str, agent_id: str, range_: str, versions: Iterable[AgentVersionRow]
) -> Standing:
    rows = record.visible(record.found(versions))
    row = record.choice(rows, range_)
    if row is not None:
        return _standing(row)
    if not rows:
        raise _unknown(session, tenant_id, agent_id)
    known = ", ".join(row.version for row in rows)
    raise NotFound(f"no version of agent `{agent_id}` fits `{range_}`", field="agent_id", hint=f"There are: {known}.")


def get(session: Session, tenant_id: str, agent_id: str, version: str) -> AgentVersion:
    """That very version, whatever became of it, for an execution that was planned with it. Raises `NotFound`."""
    return stands(session, tenant_id, agent_id, version).agent


def stands(session: Session, tenant_id: str, agent_id: str, version: str) -> Standing:
    """As `get`, with how the version stands."""
    rows = [row for row in agents.versions(session, tenant_id, agent_id) if row.version == version]
    if not rows:
        raise NotFound(f"there is no version {version} of agent `{agent_id}`", field="agent_id")
    return _standing(record.visible(rows)[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A version and how it stands: `objection` says why it is not called, `deprecation` what to use instead."""

    agent: AgentVersion
    objection: str | None = None
    deprecation: str | None = None


def _standing(row: AgentVersionRow) -> Standing:
    reason = f": {row.status_reason}" if row.status_reason else ""
    off = f"the agent is {'suspended' if row.status == AgentStatus.SUSPENDED else f'a {row.status}'}{reason}"
    objection = None if row.status == AgentStatus.ACTIVE else off
    return Standing(agent=record.value(row), objection=objection, deprecation=record.deprecation(row))


def check_health(agent: AgentVersion, settings: Settings) -> Health | AgentFailure:
    """How the agent is now; a python agent is ready when its definition can be read."""
    if agent.kind == "http":
        return _health(agent, settings)
    return Health(agent_id=agent.agent_id, version=agent.version, ready=True, capabilities=agent.capabilities)


def _rows(session: Session, tenant_id: str, agent_id: str, *, drafts: bool = False) -> list[AgentVersionRow]:
    rows = record.current(agents.versions(session, tenant_id, agent_id))
    if not rows:
        raise _unknown(session, tenant_id, agent_id)
    return record.visible(rows if drafts else record.found(rows) or rows)


def _unknown(session: Session, tenant_id: str, agent_id: str) -> NotFound:
    known = {row.agent_id for row in agents.versions(session, tenant_id)}
    close = difflib.get_close_matches(agent_id, sorted(known), n=1)
    hint = f"Did you mean `{close[0]}`?" if close else "`aispine agent list` shows the agents there are."
    return NotFound(f"there is no agent `{agent_id}`", field="agent_id", hint=hint)


def _own_row(session: Session, tenant_id: str, agent_id: str, version: str) -> AgentVersionRow | None:
    rows = agents.versions(session, tenant_id, agent_id)
    return next((row for row in rows if row.tenant_id == tenant_id and row.version == version), None)


def _name(agent: AgentVersion) -> str:
    return f"{agent.agent_id}@{agent.version}"
