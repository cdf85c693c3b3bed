"""The memory of every process of a stack."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from aispine.errors import StackError
from aispine.stack.ledger import FILE
from benchmarks import flows
from benchmarks.row import Row
from benchmarks.stack import Stack

if TYPE_CHECKING:
    from benchmarks.context import Bench

BAR: Final = 550.0
_NODES: Final = 40
_RUNS: Final = 6
_SETTLE_SECONDS: Final = 2.0
_FIELD: Final = re.compile(r"^(Pss|Private_Clean|Private_Dirty):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """One process and the program of the stack that it belongs to, in megabytes.

    `pss` counts a page that several processes share once among them, `uss` only what the process has for itself.
    """

    program: str
    pid: int
    title: str
    pss: float
    uss: float


def idle(bench: Bench) -> Iterator[Row]:
    """What a stack needs that has nothing to do: as started, and after it has worked a little.

    The processes of a pool share what they loaded before the fork until they write to it, and counting references is
    writing, so the first nodes take some of it.
    """
    yield from _idle(bench, "idle stack", bar=BAR)
    for source in (flows.one(), flows.chain(_NODES), flows.fan(_NODES)):
        bench.driver.deploy(source)
    for flow_id in (flows.ONE, flows.CHAIN, flows.FAN) * _RUNS:
        bench.driver.run(flow_id)
    yield from _idle(bench, f"idle after {3 * _RUNS} executions", bar=None)


def _idle(bench: Bench, name: str, *, bar: float | None) -> Iterator[Row]:
    time.sleep(_SETTLE_SECONDS)
    found = measure(bench.stack)
    yield Row(name=f"{name}, {len(found)} processes", unit="MB", value=sum(each.pss for each in found), bar=bar)
    sums: defaultdict[str, float] = defaultdict(float)
    for each in found:
        sums[each.program] += each.pss
    for program in sorted(sums, key=lambda program: -sums[program]):
        yield Row(name=f"{name}, of these {program}", unit="MB", value=sums[program])


def measure(stack: Stack) -> tuple[Memory, ...]:
    """Every process of the stack. Raises `StackError` where the system does not tell shared pages apart."""
    found = (_memory(process, program) for process, program in processes(stack))
    return tuple(memory for memory in found if memory is not None)


def _names(stack: Stack) -> Mapping[int, str]:
    """The programs that `up` wrote down, by pid; servers that left its tree are in there too."""
    entries = json.loads((stack.home / FILE).read_text("utf-8"))
    return {stack.pid: "up"} | {int(entry["pid"]): str(entry["name"]) for entry in entries}


def processes(stack: Stack) -> Iterator[tuple[psutil.Process, str]]:
    """Every process of the stack, with the program that it belongs to."""
    seen: set[int] = set()
    for pid, name in reversed(list(_names(stack).items())):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            if process.pid not in seen:
                seen.add(process.pid)
                yield process, name


def _memory(process: psutil.Process, program: str) -> Memory | None:
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii")
        title = " ".join(process.cmdline())
    except (ProcessLookupError, psutil.NoSuchProcess):  # It has ended since it was listed.
        return None
    except OSError as error:
        raise StackError(f"the memory of {program} cannot be read: {error.strerror}") from error
    sizes = {name: int(size) * 1024 / 1e6 for name, size in _FIELD.findall(text)}
    if "Pss" not in sizes:
        return None
    uss = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Memory(program=program, pid=process.pid, title=title, pss=sizes["Pss"], uss=uss)
