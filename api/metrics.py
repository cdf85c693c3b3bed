"""Figures for Prometheus: the counters of all processes, the workers and the queues, read when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Response

from aispine.engine import attendance
from aispine.engine.attendance import WorkerState, WorkerView
from aispine.engine.metrics import METRICS, PREFIX, Sample, labels, render
from aispine.store import counters
from aispine.store.models import CounterRow
from api.access import access
from api.parts import parts
from api.resource import Resource

blueprint = Resource("metrics", "Figures for Prometheus.")

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_STALE: Final = 20
"""Heartbeats after which a gauge that beat no longer sets is left out."""
_DOC: Final = {
    "responses": {
        "200": {
            "description": "Prometheus's text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
}


@blueprint.route("/metrics")
@access("metrics")
@blueprint.doc(**_DOC)
def metrics() -> Response:
    """Show figures about the whole platform in Prometheus's text format."""
    parts().meter.flush()
    heartbeat = parts().settings.heartbeat
    with parts().store.session(None) as session:
        counted, found = counters.rows(session), attendance.list_workers(session, heartbeat)
    samples = [*_counted(counted, heartbeat), *_of_workers(found), *_of_queues(), *_of_streams()]
    return Response(render(samples), content_type=CONTENT_TYPE)


def _counted(rows: Iterable[CounterRow], heartbeat: float) -> Iterator[Sample]:
    oldest = datetime.now(UTC) - timedelta(seconds=_STALE * heartbeat)
    for row in rows:
        known = METRICS.get(row.name.removeprefix(PREFIX))
        if known is None or known.kind != "gauge" or row.updated_at >= oldest:
            yield row.name, row.labels, row.value


def _of_workers(found: tuple[WorkerView, ...]) -> Iterator[Sample]:
    for (pool, state), count in Counter((each.pool, each.state) for each in found).items():
        yield f"{PREFIX}workers", labels(pool=pool, state=state), count
    for pool in sorted({each.pool for each in found}):
        live = [each for each in found if each.pool == pool and each.state is not WorkerState.LOST]
        yield f"{PREFIX}worker_slots", labels(pool=pool), sum(each.slots for each in live)
        yield f"{PREFIX}worker_slots_busy", labels(pool=pool), sum(each.busy for each in live)
        silent = max(each.heartbeat_seconds for each in found if each.pool == pool)
        yield f"{PREFIX}heartbeat_age_seconds", labels(pool=pool), silent


def _of_streams() -> Iterator[Sample]:
    yield f"{PREFIX}event_streams", "", parts().streams.count
    yield f"{PREFIX}event_stream_readers", "", parts().streams.readers


def _of_queues() -> Iterator[Sample]:
    for queue, length in parts().queues.lengths().items():
        yield f"{PREFIX}queue_length", labels(queue=queue), length
