"""Keeps programs running: starts again what dies, shows what they print, ends them all."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import IO, Final

from aispine.errors import StackError
from aispine.stack.ledger import Ledger
from aispine.stack.output import OURS, Output
from aispine.stack.process import Process, Program

TICK: Final = 0.2
OVERLAP: Final = 3.0
"""Seconds that a program and its successor both run, so that the successor is ready when it is alone."""
PATIENCE: Final = 60.0
"""Seconds more that a program waits for a successor that has yet to say that it serves."""
_SILENCE: Final = 2.0
"""Seconds of stopping after which it is said what is waited for."""
_LONGEST_LINE: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """How long to wait before a program that died is started again; all in seconds."""

    first: float = 1.0
    ceiling: float = 10.0
    healthy: float = 60.0
    failures: int = 0

    @property
    def delay(self) -> float:
        return min(self.ceiling, self.first * 2.0 ** max(0, self.failures - 1))

    def after(self, uptime: float) -> Backoff:
        """The state once a program has died again after running for `uptime`."""
        return replace(self, failures=1 if uptime >= self.healthy else self.failures + 1)


class Child:
    """One program through all its lives; one that is replaced has a last one beside its successor's first."""

    def __init__(self, program: Program, backoff: Backoff) -> None:
        self.program = program
        self.process: Process | None = None
        self.backoff = backoff
        self.due = 0.0
        self.asked_at: float | None = None
        self.successor: Child | None = None
        self.unfinished = b""


class Supervisor:
    """Runs in one thread: `run` is the loop, everything else happens in between."""

    def __init__(
        self, output: Output, ledger: Ledger, backoff: Backoff | None = None, overlap: float = OVERLAP
    ) -> None:
        self._output = output
        self._ledger = ledger
        self._backoff = backoff or Backoff()
        self._overlap = overlap
        self._children: list[Child] = []
        self._leaving: list[Child] = []
        self._to_replace: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._unwritten = False

    def adopt(self, process: Process) -> None:
        """Watches over a program that runs already."""
        child = Child(process.program, self._backoff)
        self._children.append(child)
        self._watch(child, process)

    def start(self, programs: Iterable[Program]) -> None:
        for program in programs:
            child = Child(program, self._backoff)
            self._children.append(child)
            self._spawn(child)

    def run(self, until: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Supervises until the condition holds; False when it does not within the limit."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() >= deadline:
                return False
            self._step(restarting=True)
        return True

    def replace_all(self) -> None:
        """Has every program above tier 0 replaced in turn: its successor runs before it is asked to end."""
        self._to_replace = [child for child in self._children if child.program.tier]

    def pid(self, name: str) -> int | None:
        """The process id of a program, None while it does not run."""
        return next(
            (child.process.pid for child in self._children if child.program.name == name and child.process), None
        )

    def failures(self, name: str) -> int:
        """How often in a row the program has died."""
        return next(child.backoff.failures for child in self._children if child.program.name == name)

    def stop(self, impatient: Callable[[], bool] = lambda: False) -> None:
        """Ends every program, a higher tier before a lower one, each with SIGKILL after its own limit.

        Once `impatient` holds, what still runs of the higher tiers is killed at once; tier 0 always ends cleanly.
        """
        for tier in sorted({child.program.tier for child in self._children}, reverse=True):
            known = [*self._children, *self._leaving]
            running = [child for child in known if child.process and child.program.tier == tier]
            self._end([child.process for child in running if child.process], impatient if tier else lambda: False)
            for child in running:
                self._unwatch(child)
        self._children, self._leaving, self._to_replace = [], [], []
        self._ledger.clear()

    def _end(self, processes: list[Process], impatient: Callable[[], bool]) -> None:
        begun, told = time.monotonic(), False
        for process in processes:
            process.terminate()
        while left := [process for process in processes if not process.ended()]:
            if not told and time.monotonic() - begun > _SILENCE:
                told = True
                self._say(f"waits for {', '.join(process.program.name for process in left)}")
            for process in left:
                if impatient() or time.monotonic() - begun > process.program.stop_seconds:
                    self._say(f"{process.program.name} did not end in time and is killed")
                    process.kill()
            self._step(restarting=False)

    def _step(self, *, restarting: bool) -> None:
        for key, _ in self._selector.select(TICK if restarting else TICK / 4):
            self._read(key.data, key.fd)
        if not restarting:
            return
        for child in self._children:
            if child.process is not None and child.process.ended():
                self._bury(child, child.process)
            elif child.process is None and time.monotonic() >= child.due:
                self._spawn(child)
        self._replace_next()
        for leaving in list(self._leaving):
            self._see_off(leaving)
        self._write_down(self._ledger.catch_up)

    def _replace_next(self) -> None:
        if not self._to_replace or self._leaving:
            return
        child = self._to_replace.pop(0)
        if child.process is None:  # It is about to be started anyway.
            return
        leaving = Child(child.program, child.backoff)
        leaving.process, child.process = child.process, None
        leaving.unfinished, child.unfinished = child.unfinished, b""
        leaving.due, leaving.successor = time.monotonic() + self._overlap, child
        if leaving.process.output is not None:
            self._selector.modify(leaving.process.output, selectors.EVENT_READ, leaving)
        self._leaving.append(leaving)
        self._spawn(child)

    def _see_off(self, leaving: Child) -> None:
        process, now = leaving.process, time.monotonic()
        if process is None or process.ended():
            self._unwatch(leaving)
            self._leaving.remove(leaving)
            self._say(f"{leaving.program.name} is replaced")
        elif leaving.asked_at is None and now >= leaving.due and _succeeded(leaving, now):
            leaving.asked_at = now
            process.terminate()
        elif leaving.asked_at is not None and now - leaving.asked_at > process.program.stop_seconds:
            process.kill()

    def _bury(self, child: Child, process: Process) -> None:
        self._unwatch(child)
        child.process = None
        self._await_turn(child, time.monotonic() - process.started, _reason(process.returncode))

    def _spawn(self, child: Child) -> None:
        try:
            process = Process(child.program)
        except StackError as error:
            self._await_turn(child, 0.0, error.message)
            return
        self._watch(child, process)
        self._write_down(lambda: self._ledger.add(process))

    def _write_down(self, write: Callable[[], None]) -> None:
        """Without a list of what runs everything goes on all the same; a full disk must not end the stack."""
        try:
            write()
        except OSError as error:
            if not self._unwritten:
                self._say(f"cannot write down what runs: {error.strerror}; tries again")
            self._unwritten = True
        else:
            self._unwritten = False

    def _await_turn(self, child: Child, uptime: float, reason: str) -> None:
        child.backoff = child.backoff.after(uptime)
        child.due = time.monotonic() + child.backoff.delay
        self._say(f"{child.program.name} {reason}; starts again in {child.backoff.delay:g} s")

    def _watch(self, child: Child, process: Process) -> None:
        child.process = process
        if process.output is not None:
            os.set_blocking(process.output.fileno(), False)
            self._selector.register(process.output, selectors.EVENT_READ, child)

    def _unwatch(self, child: Child) -> None:
        output = child.process.output if child.process else None
        if output is None or output.closed:
            return
        while self._read(child, output.fileno()):
            pass
        if not output.closed:
            self._close(child, output)

    def _read(self, child: Child, descriptor: int) -> bool:
        """Shows what the child has printed; False when there is no more of it now."""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return False
        if not data:
            self._close(child, self._selector.get_key(descriptor).fileobj)  # type: ignore[arg-type] # registered so
            return False
        *lines, child.unfinished = (child.unfinished + data).split(b"\n")
        for line in lines:
            self._show(child, line)
        if len(child.unfinished) > _LONGEST_LINE:
            self._show(child, child.unfinished)
            child.unfinished = b""
        return True

    def _close(self, child: Child, output: IO[bytes]) -> None:
        self._selector.unregister(output)
        output.close()
        if child.unfinished:
            self._show(child, child.unfinished)
            child.unfinished = b""

    def _show(self, child: Child, line: bytes) -> None:
        self._output.line(child.program.name, line.decode("utf-8", "replace").rstrip("\r"))

    def _say(self, text: str) -> None:
        self._output.line(OURS, text)


def _succeeded(leaving: Child, now: float) -> bool:
    following = leaving.successor.process if leaving.successor else None
    return (following is not None and following.ready()) or now >= leaving.due + PATIENCE


def _reason(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"was ended by signal {-returncode}"
    return f"exited with code {returncode}"
