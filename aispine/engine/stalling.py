"""An execution in which nothing is in flight: what should have followed is found from the rows alone.

No decision of the engine leaves one behind, since what ends and what follows are one transaction. Rows that were mended
by hand or brought back from elsewhere may, and then nothing would ever look at them again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from aispine.engine import reopening
from aispine.engine.facts import Stalled
from aispine.engine.ledger import Ledger
from aispine.engine.terms import Terms
from aispine.flow import paths
from aispine.flow.plan import CONTAINERS
from aispine.flow.state import NodeState
from aispine.flow.status import ACTIVE_NODES, ExecutionStatus, NodeStatus


def set_going(ledger: Ledger, _fact: Stalled, _terms: Terms) -> None:
    """Counts everything anew and resolves what has not run: joins whose branches have come in, and the end."""
    rows = ledger.everything()
    if ledger.execution.status not in {ExecutionStatus.RUNNING, ExecutionStatus.WAITING}:
        return
    if any(_is_in_flight(row) for row in rows.values()):
        return
    _count(ledger, rows.values())
    frames = [path for path, row in rows.items() if paths.is_frame(path) and row.status is NodeStatus.RUNNING]
    for frame in (paths.ROOT, *frames):
        for name in ledger.plan.graph_at(frame).order:
            path = paths.within(frame, name)
            if ledger.node(path).status is NodeStatus.PENDING and path != ledger.plan.flow.on_error:
                reopening.recount(ledger, path)
    ledger.closing.extend(frames)


def _is_in_flight(row: NodeState) -> bool:
    """True for what has a message, a process, a time, or somebody to wait for; a container has its bodies."""
    if paths.is_frame(row.path) or not row.status.open:
        return False
    return row.status is not NodeStatus.RUNNING or row.lease_owner is not None or row.due_at is not None


def _count(ledger: Ledger, rows: Collection[NodeState]) -> None:
    """Counts what is open, in the whole and in each frame."""
    nodes = [row for row in rows if not paths.is_frame(row.path) and row.status.open]
    active = [row for row in nodes if row.status in ACTIVE_NODES and ledger.spec(row.path).type not in CONTAINERS]
    ledger.execution = replace(ledger.execution, open_nodes=len(nodes), active_nodes=len(active))
    within = Counter(paths.frame_of(row.path) for row in nodes)
    for row in rows:
        if paths.is_frame(row.path) and row.remembered("open", 0) != within[row.path]:
            ledger.remember(row.path, open=within[row.path])
