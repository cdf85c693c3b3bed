"""Deploying and deleting flows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from aispine import settings
from aispine.agent import registry
from aispine.catalog import lookup, timetable
from aispine.catalog.values import FlowVersion
from aispine.errors import Conflict, InvalidFlow, NotFound, TooLarge, Unprocessable, VersionConflict
from aispine.flow import reader, semver, validation
from aispine.flow.model import Flow, Node
from aispine.flow.problem import Problem
from aispine.flow.tree import Limits
from aispine.store import flows
from aispine.store.models import FlowRow
from aispine.tool import registry as tools


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """The version that is there now; `created` is false when it was there before.

    `warnings` are what does not keep it from running yet: agents that are deprecated or suspended.
    """

    version: FlowVersion
    created: bool
    warnings: tuple[Problem, ...] = ()


def deploy(
    session: Session, tenant_id: str, source: bytes | str, file: str = "flow.yaml", *, flow_id: str | None = None
) -> Deployed:
    """Adds the file's version of its flow in the caller's transaction; the same content again changes nothing.

    `flow_id`, when given, is the flow that the file must be one of. Raises `TooLarge`, `InvalidFlow` with every
    problem, and `VersionConflict` when the version exists with other content.
    """
    flow, problems = _checked(session, tenant_id, source, file)
    if flow is None or problems:
        raise _invalid(problems)
    _check_id(flow, flow_id)
    row = _locked(session, tenant_id, flow)
    created = _put(session, row, flow, _text(source))
    timetable.follow(session, tenant_id, row.flow_id)
    version = lookup.version(session, tenant_id, flow.flow_id, flow.version)
    return Deployed(version=version, created=created, warnings=warnings(session, tenant_id, flow, file))


def check(
    session: Session, tenant_id: str, source: bytes | str, file: str = "flow.yaml"
) -> tuple[Flow | None, tuple[Problem, ...]]:
    """The flow that the file says and all that keeps it from being deployed. Raises `TooLarge`."""
    flow, problems = _checked(session, tenant_id, source, file)
    return flow, (*problems, *_taken(session, tenant_id, flow, source, file)) if flow else problems


def _checked(
    session: Session, tenant_id: str, source: bytes | str, file: str
) -> tuple[Flow | None, tuple[Problem, ...]]:
    current = settings.current()
    limit = current.max_flow_bytes
    if len(source) > limit:
        raise TooLarge(f"The flow file has {len(source):,} bytes; the limit is {limit:,}", field="source")
    flow, problems = validation.check(source, file, Limits(max_bytes=limit, max_iterations=current.max_iterations))
    if flow is None:
        return None, problems
    missing = (*_missing_agents(session, tenant_id, flow, file), *_missing_tools(session, tenant_id, flow, file))
    return flow, (*problems, *missing)


def delete(session: Session, tenant_id: str, flow_id: str) -> None:
    """Deletes the flow; its running executions go on. Raises `NotFound`."""
    lookup.find(session, tenant_id, flow_id)
    row = flows.lock(session, tenant_id, flow_id)
    if row is None or row.deleted_at is not None:
        raise NotFound(f"There is no flow `{flow_id}`", field="flow_id")
    flows.delete(session, row)
    timetable.end(session, tenant_id, row.flow_id)


def content_hash(source: bytes | str) -> str:
    """The SHA-256 of what a valid file says; comments, layout and the order of keys do not count."""
    root = reader.read(source, limits=Limits(max_bytes=len(source))).root
    canonical = json.dumps(root and root.value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _invalid(problems: Sequence[Problem]) -> InvalidFlow:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    errors = [problem.as_dict() for problem in problems]
    return InvalidFlow(f"{problems[0]}{more}", hint=problems[0].hint, errors=errors)


def _check_id(flow: Flow, flow_id: str | None) -> None:
    if flow_id is not None and flows.lookup_id(flow_id) != flows.lookup_id(flow.flow_id):
        raise Unprocessable(f"The file is of the flow `{flow.flow_id}`, not of `{flow_id}`", field="flow_id")


def _text(source: bytes | str) -> str:
    return source.decode("utf-8-sig") if isinstance(source, bytes) else source


def _locked(session: Session, tenant_id: str, flow: Flow) -> FlowRow:
    flows.add(session, tenant_id, flow.flow_id, flow.name, flow.description)
    row = flows.lock(session, tenant_id, flow.flow_id)
    if row is None:
        raise Conflict(f"The flow `{flow.flow_id}` cannot be deployed now", hint="Try again.")
    if row.flow_id != flow.flow_id:
        message = f"The file is of `{flow.flow_id}`, but the flow is called `{row.flow_id}`"
        raise Conflict(message, field="flow_id", hint=f"Write `flow_id: {row.flow_id}`.")
    return row


def _put(session: Session, row: FlowRow, flow: Flow, source: str) -> bool:
    """Adds or revives the version; false when it is there and alive."""
    digest = content_hash(source)
    before = flows.find_version(session, row, flow.version)
    if before is not None and before.content_hash != digest:
        raise _conflict(flow.version, flows.version_names(session, row))
    if before is not None and row.deleted_at is None and before.created_at >= row.created_at:
        return False
    if row.deleted_at is not None:
        flows.revive(session, row)
    if before is not None:
        flows.revive_version(session, before.flow_version_id)
    else:
        flows.add_version(session, row, version=flow.version, content_hash=digest, source=source)
    flows.describe(session, row, flow.name, flow.description)
    return True


def _taken(session: Session, tenant_id: str, flow: Flow, source: bytes | str, file: str) -> Iterator[Problem]:
    row = flows.find(session, tenant_id, flow.flow_id)
    before = None if row is None else flows.find_version(session, row, flow.version)
    if row is not None and before is not None and before.content_hash != content_hash(source):
        conflict = _conflict(flow.version, flows.version_names(session, row))
        yield Problem(code=conflict.code, message=conflict.message, file=file, hint=conflict.hint)


def _conflict(version: str, taken: Collection[str]) -> VersionConflict:
    free = str(semver.next_patch(version))
    while free in taken:
        free = str(semver.next_patch(free))
    return VersionConflict(
        f"Version {version} exists with other content", field="version", hint=f"Set `version: {free}`."
    )


def warnings(session: Session, tenant_id: str, flow: Flow, file: str = "flow.yaml") -> tuple[Problem, ...]:
    """What of a flow's agents does not keep it from running yet: they are deprecated or suspended."""
    found = []
    for (agent_id, range_), nodes in _by_agent(flow).items():
        try:
            standing = registry.resolved(session, tenant_id, agent_id, range_)
        except NotFound:
            continue
        name = f"agent `{agent_id}` {standing.agent.version}"
        if standing.deprecation is not None:
            found += [
                _told("deprecated_agent", f"{name} is deprecated: {standing.deprecation}", node, file) for node in nodes
            ]
        if standing.objection is not None:
            found += [_told("agent_not_called", f"{name}: {standing.objection}", node, file) for node in nodes]
    return tuple(found)


def _by_agent(flow: Flow) -> dict[tuple[str, str], list[Node]]:
    wanted: dict[tuple[str, str], list[Node]] = {}
    for node in _all_nodes(flow.nodes):
        if node.agent_id is not None:
            wanted.setdefault((node.agent_id, node.agent_version), []).append(node)
    return wanted


def _missing_agents(session: Session, tenant_id: str, flow: Flow, file: str) -> Iterator[Problem]:
    for (agent_id, version), nodes in _by_agent(flow).items():
        try:
            registry.resolve(session, tenant_id, agent_id, version)
        except NotFound as missing:
            yield from (_missing("unknown_agent", node, missing, file) for node in nodes)


def _missing_tools(session: Session, tenant_id: str, flow: Flow, file: str) -> Iterator[Problem]:
    nodes = [node for node in _all_nodes(flow.nodes) if node.tool_id is not None]
    unknown = tools.unknown(session, tenant_id, (str(node.tool_id) for node in nodes))
    for node in nodes:
        if node.tool_id in unknown:
            yield _missing("unknown_tool", node, unknown[node.tool_id], file)


def _missing(code: str, node: Node, error: NotFound, file: str) -> Problem:
    return _told(code, error.message, node, file, error.hint)


def _told(code: str, message: str, node: Node, file: str, hint: str | None = None) -> Problem:
    return Problem(
        code=code,
        message=message,
        file=file,
        line=node.position.line or None,
        column=node.position.column or None,
        node=node.id,
        hint=hint,
    )


def _all_nodes(nodes: Collection[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for body in node.bodies:
            yield from _all_nodes(body)
