"""Finding flows and their versions."""

from __future__ import annotations

import difflib
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Final

from sqlalchemy.orm import Session

from aispine.catalog.values import FlowEntry, FlowVersion, VersionEntry
from aispine.errors import NotFound
from aispine.flow import semver, validation
from aispine.flow.model import Flow
from aispine.flow.tree import Limits
from aispine.store import flows
from aispine.store.flows import VersionKey
from aispine.store.models import FlowRow

_CACHED_FLOWS: Final = 128


def list_flows(session: Session, tenant_id: str, *, after: str | None = None, limit: int = 50) -> list[FlowEntry]:
    """Flows by id, from the one after `after` on."""
    rows = flows.page(session, tenant_id, after=after, limit=limit)
    highest = _highest(session, tenant_id, [row.flow_id for row in rows])
    return [_flow_entry(row, highest[row.flow_id]) for row in rows if row.flow_id in highest]


def find(session: Session, tenant_id: str, flow_id: str) -> FlowEntry:
    """The flow. Raises `NotFound`."""
    row = flows.find(session, tenant_id, flow_id)
    if row is None or row.deleted_at is not None:
        raise _no_flow(session, tenant_id, flow_id)
    return _flow_entry(row, _highest(session, tenant_id, [row.flow_id])[row.flow_id])


def versions(session: Session, tenant_id: str, flow_id: str) -> list[VersionEntry]:
    """Every version of the flow, highest first. Raises `NotFound`."""
    keys = flows.version_keys(session, tenant_id, [flow_id])
    if not keys:
        raise _no_flow(session, tenant_id, flow_id)
    ordered = sorted(keys, key=lambda key: semver.parse_version(key.version), reverse=True)
    return [_version_entry(key) for key in ordered]


def version(session: Session, tenant_id: str, flow_id: str, wanted: str | None = None) -> FlowVersion:
    """The version `wanted`, the highest one in the range `wanted`, or the highest one of all.

    Raises `NotFound` when there is none, `InvalidRequest` when `wanted` is neither a version nor a range.
    """
    entries = {entry.version: entry for entry in versions(session, tenant_id, flow_id)}
    chosen = wanted if wanted in entries else semver.best(wanted, entries) if wanted else _highest_of(entries)
    if chosen is None:
        shown = ", ".join(list(entries)[:5])
        raise NotFound(f"Flow `{flow_id}` has no version {wanted}", field="version", hint=f"It has {shown}.")
    entry = entries[chosen]
    return FlowVersion(entry=entry, flow=load_flow(session, entry.flow_version_id, entry.content_hash))


def load_flow(session: Session, flow_version_id: int, content_hash: str | None = None) -> Flow:
    """The flow of a version, parsed once per process; with its hash at hand the store need not be asked.

    Raises `NotFound`.
    """
    known = _parsed.get(flow_version_id, content_hash) if content_hash else None
    return known or _load(session, flow_version_id)


def source(session: Session, flow_version_id: int) -> str:
    """The file of a version as it was deployed. Raises `NotFound`."""
    return _stored(session, flow_version_id)[1]


def diff(old: str, new: str, *, old_name: str, new_name: str) -> str:
    """The unified difference of two files; empty when they are equal."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)


def _load(session: Session, flow_version_id: int) -> Flow:
    content_hash, text = _stored(session, flow_version_id)
    flow = _parsed.get(flow_version_id, content_hash) or validation.load(text, limits=Limits(max_bytes=len(text)))
    _parsed.put(flow_version_id, content_hash, flow)
    return flow


def _stored(session: Session, flow_version_id: int) -> tuple[str, str]:
    stored = flows.source(session, flow_version_id)
    if stored is None:
        raise NotFound(f"There is no flow version {flow_version_id}")
    return stored


def _highest(session: Session, tenant_id: str, flow_ids: Iterable[str]) -> dict[str, str]:
    keys = sorted(flows.version_keys(session, tenant_id, list(flow_ids)), key=lambda key: key.flow_id)
    by_flow = groupby(keys, key=lambda key: key.flow_id)
    return {flow_id: _highest_of([key.version for key in group]) for flow_id, group in by_flow}


def _highest_of(versions: Collection[str]) -> str:
    """The highest version; a pre-release only where there is nothing else."""
    return semver.best(semver.ANY, versions) or max(versions, key=semver.parse_version)


def _flow_entry(row: FlowRow, highest: str) -> FlowEntry:
    return FlowEntry(
        flow_id=row.flow_id,
        name=row.name,
        description=row.description,
        version=highest,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _version_entry(key: VersionKey) -> VersionEntry:
    return VersionEntry(**key._asdict())


def _no_flow(session: Session, tenant_id: str, flow_id: str) -> NotFound:
    near = difflib.get_close_matches(flow_id, flows.names(session, tenant_id), n=1)
    hint = f"Did you mean `{near[0]}`?" if near else "Deploy one with `aispine flow deploy FILE`."
    return NotFound(f"There is no flow `{flow_id}`", field="flow_id", hint=hint)


class _ParsedFlows:
    """The flows that this process used last. The hash is part of the key: numbers repeat between databases."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flows: OrderedDict[tuple[int, str], Flow] = OrderedDict()

    def get(self, flow_version_id: int, content_hash: str) -> Flow | None:
        key = (flow_version_id, content_hash)
        with self._lock:
            if key in self._flows:
                self._flows.move_to_end(key)
            return self._flows.get(key)

    def put(self, flow_version_id: int, content_hash: str, flow: Flow) -> None:
        with self._lock:
            self._flows[flow_version_id, content_hash] = flow
            while len(self._flows) > _CACHED_FLOWS:
                self._flows.popitem(last=False)


_parsed: Final = _ParsedFlows()
