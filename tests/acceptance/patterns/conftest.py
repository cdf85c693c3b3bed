"""Runs the flows of flows/patterns/ on real workers, with people and signals where they need some."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pytest

from aispine.engine.operations import Operations
from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from tests.acceptance.patterns.log import Log
from tests.support.environment import ROOT
from tests.support.flows import Flows
from tests.support.operations import operations
from tests.support.polling import eventually
from tests.support.workers import Workers

PATTERNS = ROOT / "flows" / "patterns"


@dataclass(frozen=True, kw_only=True, slots=True)
class Patterns:
    """Deploys, starts and steers pattern flows of one tenant."""

    flows: Flows
    people: Operations

    def run(self, name: str, data: Any = None) -> Log:
        return self.wait(self.start(name, data))

    def start(self, name: str, data: Any = None) -> str:
        return self.flows.start(self.deploy(name), data)

    def deploy(self, name: str) -> str:
        return self.flows.deploy((PATTERNS / f"{name}.yaml").read_text("utf-8"))

    def wait(self, execution_id: str) -> Log:
        return Log(seen=self.flows.wait(execution_id))

    def until_waiting(self, execution_id: str, *names: str) -> None:
        self._until(execution_id, NodeStatus.WAITING, names)

    def until_running(self, execution_id: str, *names: str) -> None:
        self._until(execution_id, NodeStatus.RUNNING, names)

    def until_completed(self, execution_id: str, *names: str) -> None:
        self._until(execution_id, NodeStatus.COMPLETED, names)

    def _until(self, execution_id: str, status: NodeStatus, names: Collection[str]) -> None:
        """Waits until all the nodes have the status; those inside bodies have no row before they are reached."""

        def reached() -> bool:
            statuses = self.flows.see(execution_id).statuses
            return all(statuses.get(name) == status for name in names)

        eventually(reached, what=f"{names} {status}")

    def signal(self, execution_id: str, name: str, payload: Any = None) -> None:
        self.people.signal(execution_id, name, payload)


@pytest.fixture
def patterns(flows: Flows, web_store: Store, workers: Workers) -> Patterns:
    return Patterns(flows=flows, people=operations(web_store, flows.tenant_id))
