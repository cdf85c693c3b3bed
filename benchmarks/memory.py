"""The memory of every process of a stack, shared pages counted once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from aispine.errors import StackError
from aispine.stack.ledger import FILE
from benchmarks.row import Row
from benchmarks.stack import Stack

BAR: Final = 550.0
_PSS: Final = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """One process: the program of the stack that it belongs to, what it shows as, and its PSS in megabytes."""

    program: str
    pid: int
    title: str
    pss: float


def measure(stack: Stack) -> tuple[Memory, ...]:
    """Every process of the stack. Raises `StackError` where the system does not tell shared pages apart."""
    names = _names(stack)
    found = (_memory(process, program) for process, program in _processes(names))
    return tuple(memory for memory in found if memory is not None)


def row(name: str, processes: tuple[Memory, ...]) -> Row:
    """The sum, which has a bar."""
    return Row(name=name, value=sum(memory.pss for memory in processes), unit="MB", bar=BAR)


def _names(stack: Stack) -> Mapping[int, str]:
    """The programs that `up` wrote down, by pid; servers that left its tree are in there too."""
    entries = json.loads((stack.home / FILE).read_text("utf-8"))
    return {stack.pid: "up"} | {int(entry["pid"]): str(entry["name"]) for entry in entries}


def _processes(names: Mapping[int, str]) -> Iterator[tuple[psutil.Process, str]]:
    seen: set[int] = set()
    for pid, name in reversed(list(names.items())):
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
    found = _PSS.search(text)
    return Memory(program=program, pid=process.pid, title=title, pss=int(found[1]) * 1024 / 1e6) if found else None
