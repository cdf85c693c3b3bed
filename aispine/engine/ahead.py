"""Quick nodes in a row, whose ends are recorded together: the worker runs a moment ahead of the store.

What it decides on the way holds only if the execution has not moved on when it is written; `event_seq` tells. A process
that dies before takes it along: then the node that is recorded as running counts as lost, and all that followed it
runs again. So nothing runs ahead but agents that say of themselves that they are quick.
"""

from __future__ import annotations

import threading
import time

from aispine import logs
from aispine.engine import advance, plans
from aispine.engine.advance import Held, Take
from aispine.engine.carrier import Carrier, keep_up
from aispine.engine.lane import Told
from aispine.engine.patience import patiently
from aispine.engine.queueing import QUEUES, agent_reference
from aispine.engine.settle import End, settle
from aispine.engine.watchdog import Alarm
from aispine.engine.work import Worker
from aispine.errors import StoreUnavailable
from aispine.flow.state import Transition, joined

_log = logs.get(__name__)


class Ahead:
    """What one message has decided and not written; a watchdog writes it when the node that runs takes its time."""

    def __init__(self, worker: Worker, carrier: Carrier) -> None:
        self._worker = worker
        self._carrier = carrier
        self._lock = threading.Lock()
        self._origin: tuple[Held, Told] | None = None
        """The end of the node whose claim was recorded last: what remains to be told when all else is void."""
        self._unwritten: list[Transition] = []
        self._due = 0.0
        self._alarm: Alarm | None = None
        self._overtaken = False

    def finish(self, held: Held, fact: Told, take: Take) -> Held | None:
        """Ends a held node, now or a moment later, and sees to what follows; returns what this process runs next."""
        with self._lock:
            self._origin = self._origin or (held, fact)
            foreseen = self._foresee(held, fact, take)
            if foreseen is not None and self._may_wait(held, foreseen):
                self._put_off(foreseen)
                return advance.next_after(foreseen)
            if self._write(foreseen) and foreseen is not None:
                return self._follow(foreseen)
            held, fact = self._start_over() or (held, fact)
        return settle(self._worker, End(held=held, fact=fact, take=take, carrier=self._carrier))

    def close(self) -> None:
        """Writes what is left: there is something only when the process is told to end in the middle of a node."""
        with self._lock:
            self._write()

    def _foresee(self, held: Held, fact: Told, take: Take) -> Transition | None:
        return None if self._overtaken else advance.foresee(self._worker.store, held, fact, self._worker.terms, take)

    def _may_wait(self, held: Held, foreseen: Transition) -> bool:
        """True when nothing but a quick node of this process follows, and nothing is unwritten for too long."""
        alone = bool(foreseen.claimed) and not foreseen.queued and not foreseen.orphans
        return alone and self._has_time() and self._is_quick(held) and self._is_quick(advance.next_after(foreseen))

    def _has_time(self) -> bool:
        return time.monotonic() < self._due if self._unwritten else self._worker.settings.ahead > 0

    def _is_quick(self, held: Held | None) -> bool:
        """True when the agent itself says so, it is, and no process has died of what runs here: the next would show."""
        if held is None or any(node.lost_attempts for node in held.known.values()):
            return False
        spec = plans.find(self._worker.store, held.execution.flow_version_id).node(held.node.path)
        if spec.agent_id is None or held.node.queue != QUEUES["quick"]:
            return False
        reference = agent_reference(spec)
        return held.execution.agents[reference]["pool"] == "quick" and reference not in self._worker.dispatch.pace.slow

    def _put_off(self, foreseen: Transition) -> None:
        if not self._unwritten:
            seconds = self._worker.settings.ahead
            self._due = time.monotonic() + seconds
            self._alarm = self._worker.watchdog.after(seconds, self._overdue)
        self._unwritten.append(foreseen)
        keep_up(self._carrier, foreseen)

    def _overdue(self) -> None:
        try:
            self.close()
        except StoreUnavailable as error:
            _log.warning("ahead.not_written", error=str(error))

    def _write(self, last: Transition | None = None) -> bool:
        """Writes all decisions up to `last`; False when the execution has moved on, and then none of them holds."""
        decided = [*self._unwritten, *([] if last is None else [last])]
        if not self._overtaken and decided and self._origin is not None:
            before = self._origin[0].execution
            self._overtaken = not patiently(advance.write, self._worker.store, before, joined(decided))
        if self._overtaken:
            self._unwritten = []
            return False
        if self._alarm is not None:
            self._alarm.call_off()
        written, self._unwritten, self._origin = self._unwritten, [], None
        for transition in written:
            self._worker.dispatch.follow(transition)
        return True

    def _start_over(self) -> tuple[Held, Told] | None:
        """Returns what remains to be told when what was decided is void; None when all of it is written."""
        origin, self._origin, self._overtaken = self._origin, None, False
        return origin

    def _follow(self, transition: Transition) -> Held | None:
        self._worker.dispatch.follow(transition, queued=keep_up(self._carrier, transition))
        return advance.next_after(transition)
