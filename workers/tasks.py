"""The tasks. Everything they do is in `aispine.engine.run` and `aispine.conversation`."""

from __future__ import annotations

from typing import Any, Final

from celery import Celery

from aispine.engine import broker, run
from workers import workbench
from workers.carrier import Carrier

# Over the 6 s for which Celery holds the dispatch of a chord, when it runs a task again whose process died.
_RETRY_DELAY: Final = 7


def register(app: Celery) -> None:
    """Adds the tasks to the app."""
    options: dict[str, Any] = {"bind": True, "default_retry_delay": _RETRY_DELAY, "ignore_result": True}
    app.task(name=broker.RUN, **options)(_run)
    app.task(name=broker.RUN_LANE, **options)(_run_lane)
    app.task(name=broker.ADVANCE, **options)(_advance)
    app.task(name=broker.READ, ignore_result=True)(_read)
    app.task(name=broker.SEND, ignore_result=True)(_send_due)


def _run(self: Any, execution_id: str, path: str) -> None:
    """Runs one node and what follows it inline."""
    run.run(workbench.worker(), execution_id, path, Carrier(self.request))


def _run_lane(self: Any, execution_id: str, paths: list[str]) -> None:
    """Runs quick nodes one after the other."""
    run.run_lane(workbench.worker(), execution_id, paths, Carrier(self.request))


def _advance(self: Any, execution_id: str, path: str) -> None:
    """Starts an execution (no path), or looks at a join whose branches have all come in."""
    if path:
        run.run(workbench.worker(), execution_id, path, Carrier(self.request))
    else:
        run.start(workbench.worker(), execution_id, Carrier(self.request))


def _read(contact_id: str) -> None:
    """Reads what came in over a channel from one person."""
    from aispine.conversation import reading  # Here, as below: only one of the pools ever talks to people.

    reading.read(workbench.reader(), contact_id)


def _send_due(contact_id: str) -> None:
    """Sends what is due to one person."""
    from aispine.conversation import sending

    sending.send(workbench.reader(), contact_id)
