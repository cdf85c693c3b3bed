"""The schedule that a flow's newest version says, kept in the store."""

from __future__ import annotations

from sqlalchemy.orm import Session

from aispine.catalog import lookup
from aispine.store import schedules


def follow(session: Session, tenant_id: str, flow_id: str) -> None:
    """Makes, changes or removes the schedule of the flow's file as its newest version says.

    The caller holds the flow's row, so that one deploy at a time decides.
    """
    wanted = lookup.version(session, tenant_id, flow_id).flow.schedule
    row = schedules.lock_of_file(session, tenant_id, flow_id)
    if row is None and wanted is not None:
        schedules.add(session, tenant_id, flow_id, wanted, origin=schedules.OF_FILE)
    elif row is not None and wanted is None:
        schedules.remove(session, row)
    elif row is not None and wanted is not None:
        schedules.change(session, row, wanted)


def end(session: Session, tenant_id: str, flow_id: str) -> None:
    """Removes every schedule of a flow that is deleted."""
    schedules.remove_of_flow(session, tenant_id, flow_id)
