"""The plans of tenants, kept by each process for some seconds: they are asked for often and change rarely."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aispine.store.models import Plan, Tenant

UNLIMITED: Final = "scale"
_KEPT: Final = 10.0
_found: dict[str, tuple[float, int | None]] = {}


def known(tenant_id: str) -> tuple[bool, int | None]:
    """Whether this process has asked just now, and what the answer was."""
    until, count = _found.get(tenant_id, (0.0, None))
    return until > time.monotonic(), count


def calls_per_minute(session: Session, tenant_id: str) -> int | None:
    """How many calls the tenant's plan allows; None without a limit."""
    fresh, count = known(tenant_id)
    if not fresh:
        statement = select(Plan.calls_per_minute).join(Tenant, Tenant.plan_id == Plan.plan_id)
        count = session.scalar(statement.where(Tenant.tenant_id == tenant_id))
        _found[tenant_id] = (time.monotonic() + _KEPT, count)
    return count
