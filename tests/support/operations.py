"""What a person does to executions, on the stores of the tests."""

from __future__ import annotations

from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.engine.operations import Operations
from aispine.store.database import Store


class Silence:
    """Followers are of no interest here."""

    def wake(self, execution_id: str, *, at_once: bool = False) -> None: ...


def operations(store: Store, tenant_id: str) -> Operations:
    dispatch = Dispatch(store=store, celery=broker.app(), wakeups=Silence(), tenant_id=tenant_id)
    return Operations(dispatch=dispatch, tenant_id=tenant_id)


def cancel(store: Store, tenant_id: str, execution_id: str, reason: str | None = None) -> None:
    operations(store, tenant_id).cancel(execution_id, reason)
