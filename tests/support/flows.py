"""Flows deployed and run to their end, the way the shells do it: through the core's use cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from aispine import catalog
from aispine.engine import start, views
from aispine.engine.node_views import NodeView
from aispine.engine.start import StartRequest
from aispine.engine.views import ExecutionView
from aispine.events.log import LoggedEvent
from aispine.flow.status import ExecutionStatus, NodeStatus
from aispine.store.database import Store
from tests.support.polling import eventually


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """An execution with its nodes by path and its events in order, as one reading of the store showed them."""

    execution: ExecutionView
    nodes: Mapping[str, NodeView]
    events: tuple[LoggedEvent, ...]

    @property
    def status(self) -> ExecutionStatus:
        return self.execution.status

    @property
    def output(self) -> Any:
        return self.execution.output

    @property
    def statuses(self) -> dict[str, str]:
        return {path: str(node.status) for path, node in self.nodes.items()}

    def count(self, event: str, path: str | None = None) -> int:
        """How many events of a type there are, of one node when `path` is given."""
        return sum(found.type == event and path in {None, found.path} for found in self.events)


class Flows:
    """Deploys and runs flows of one tenant."""

    def __init__(self, store: Store, tenant_id: str) -> None:
        self._store = store
        self.tenant_id = tenant_id

    def deploy(self, flow: str | Mapping[str, Any]) -> str:
        """Deploys a file's text, or a flow given as a mapping; returns its id."""
        source = flow if isinstance(flow, str) else yaml.safe_dump(dict(flow), sort_keys=False, allow_unicode=True)
        with self._store.session(self.tenant_id) as session:
            return catalog.deploy(session, self.tenant_id, source).version.entry.flow_id

    def start(self, flow_id: str, data: Any = None, *, announce: bool = True) -> str:
        """Starts an execution; without `announce` no message is sent. Returns its id."""
        request = StartRequest(flow_id=flow_id, input={} if data is None else data)
        with self._store.session(self.tenant_id) as session:
            execution_id = start.start(session, self.tenant_id, request).execution_id
        if announce:
            start.announce(execution_id, flow_id)
        return execution_id

    def run(self, flow: str | Mapping[str, Any], data: Any = None, *, seconds: float = 60.0) -> Seen:
        """Deploys, starts and waits for the end."""
        return self.wait(self.start(self.deploy(flow), data), seconds=seconds)

    def wait(self, execution_id: str, *, seconds: float = 60.0) -> Seen:
        """Waits until the execution has ended."""
        return eventually(lambda: self._ended(execution_id), seconds, f"the end of {execution_id}")

    def wait_for_node(self, execution_id: str, path: str, *statuses: NodeStatus, seconds: float = 60.0) -> NodeView:
        """Waits until a node has one of the statuses."""

        def reached() -> NodeView | None:
            node = self.see(execution_id).nodes[path]
            return node if node.status in statuses else None

        return eventually(reached, seconds, f"{path} {statuses}")

    def see(self, execution_id: str) -> Seen:
        with self._store.session(self.tenant_id) as session:
            return Seen(
                execution=views.show(session, execution_id),
                nodes={node.path: node for node in views.results(session, execution_id)},
                events=views.events_after(session, execution_id, 0, limit=10_000),
            )

    def _ended(self, execution_id: str) -> Seen | None:
        with self._store.session(self.tenant_id) as session:
            ended = views.show(session, execution_id).status.terminal
        return self.see(execution_id) if ended else None
