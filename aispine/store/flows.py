"""The tables of flows and their versions.

A flow that was deleted and is deployed again starts anew: `created_at` moves on, and versions older than it are dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.database import link
from aispine.store.models import FlowRow, FlowVersionRow
from aispine.store.prepared import Statement


def lookup_id(flow_id: str) -> str:
    """The form under which `-` and `_` are equal."""
    return flow_id.replace("-", "_")


def find(session: Session, tenant_id: str, flow_id: str) -> FlowRow | None:
    """The flow, deleted or not."""
    return session.scalar(select(FlowRow).filter_by(tenant_id=tenant_id, lookup_id=lookup_id(flow_id)))


def lock(session: Session, tenant_id: str, flow_id: str) -> FlowRow | None:
    """The flow, deleted or not, held until the transaction ends, so that one deploy at a time decides."""
    statement = select(FlowRow).filter_by(tenant_id=tenant_id, lookup_id=lookup_id(flow_id))
    return session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def add(session: Session, tenant_id: str, flow_id: str, name: str, description: str | None) -> None:
    """Makes the flow unless it is there."""
    row = {"flow_id": flow_id, "lookup_id": lookup_id(flow_id), "name": name, "description": description}
    session.execute(insert(FlowRow).values(tenant_id=tenant_id, **row).on_conflict_do_nothing())


def describe(session: Session, flow: FlowRow, name: str, description: str | None) -> None:
    """Sets what the newest deployed file says about the flow."""
    _update(session, flow, name=name, description=description, updated_at=func.now())


def revive(session: Session, flow: FlowRow) -> None:
    """Brings a deleted flow back without the versions it had."""
    _update(session, flow, deleted_at=None, created_at=func.now())


def delete(session: Session, flow: FlowRow) -> None:
    """Marks the flow deleted; its executions go on."""
    _update(session, flow, deleted_at=func.now())


def _update(session: Session, flow: FlowRow, **values: Any) -> None:
    statement = update(FlowRow).filter_by(tenant_id=flow.tenant_id, flow_id=flow.flow_id).values(**values)
    session.execute(statement.execution_options(synchronize_session=False))
    session.expire(flow)


def page(session: Session, tenant_id: str, *, after: str | None, limit: int) -> Sequence[FlowRow]:
    """Flows that are not deleted, by id, from the one after `after` on."""
    statement = select(FlowRow).where(FlowRow.tenant_id == tenant_id, FlowRow.deleted_at.is_(None))
    if after is not None:
        statement = statement.where(FlowRow.flow_id > after)
    return session.scalars(statement.order_by(FlowRow.flow_id).limit(limit)).all()


class VersionKey(NamedTuple):
    """A version without its source; `name` is the flow's."""

    flow_version_id: int
    flow_id: str
    version: str
    content_hash: str
    name: str
    created_at: datetime


def version_keys(session: Session, tenant_id: str, flow_ids: Sequence[str]) -> list[VersionKey]:
    """Every living version of the flows, which are named in either spelling."""
    return [VersionKey(*row) for row in _VERSION_KEYS.all(link(session), tenant_id, list(map(lookup_id, flow_ids)))]


_VERSION_KEYS: Final = Statement(
    "version_keys",
    "text, text[]",
    """
    SELECT v.flow_version_id, v.flow_id, v.version, v.content_hash, f.name, v.created_at
    FROM flow_versions v JOIN flows f ON v.tenant_id = f.tenant_id AND v.flow_id = f.flow_id
    WHERE f.tenant_id = $1 AND f.lookup_id = ANY($2) AND f.deleted_at IS NULL AND v.created_at >= f.created_at
    """,
)


def find_version(session: Session, flow: FlowRow, version: str) -> FlowVersionRow | None:
    """The version, alive or from before the flow was deleted."""
    same = {"tenant_id": flow.tenant_id, "flow_id": flow.flow_id, "version": version}
    return session.scalar(select(FlowVersionRow).filter_by(**same))


def version_names(session: Session, flow: FlowRow) -> Sequence[str]:
    """The number of every version that the flow ever had."""
    same = {"tenant_id": flow.tenant_id, "flow_id": flow.flow_id}
    return session.scalars(select(FlowVersionRow.version).filter_by(**same)).all()


def add_version(session: Session, flow: FlowRow, *, version: str, content_hash: str, source: str) -> None:
    """Adds a version."""
    same = {"tenant_id": flow.tenant_id, "flow_id": flow.flow_id, "version": version}
    session.add(FlowVersionRow(**same, content_hash=content_hash, source=source))
    session.flush()


def revive_version(session: Session, flow_version_id: int) -> None:
    """Makes a version of a deleted flow one of the flow that was deployed again."""
    revived = update(FlowVersionRow).where(FlowVersionRow.flow_version_id == flow_version_id)
    session.execute(revived.values(created_at=func.now()).execution_options(synchronize_session=False))


def source(session: Session, flow_version_id: int) -> tuple[str, str] | None:
    """The content hash and the file of a version, as it was deployed."""
    statement = select(FlowVersionRow.content_hash, FlowVersionRow.source)
    row = session.execute(statement.where(FlowVersionRow.flow_version_id == flow_version_id)).one_or_none()
    return (row[0], row[1]) if row else None


def names(session: Session, tenant_id: str, *, limit: int = 500) -> Sequence[str]:
    """Ids of flows, for the nearest spelling of one that is not there."""
    living = select(FlowRow.flow_id).where(FlowRow.tenant_id == tenant_id, FlowRow.deleted_at.is_(None))
    return session.scalars(living.order_by(FlowRow.updated_at.desc()).limit(limit)).all()
