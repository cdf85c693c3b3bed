"""`python -m benchmarks.peers [NAME ...]`: the same work, ours and theirs in turn; 1 when a bar is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from aispine.errors import AISpineError
from benchmarks import context, flows, machine, program
from benchmarks.context import Bench
from benchmarks.peers.catalog import PEERS
from benchmarks.peers.peer import Peer, Worker, install, working
from benchmarks.program import Record
from benchmarks.row import Row, compare
from benchmarks.shapes import NODES, RUNS

_SHAPES: Final = {"chain": (f"chain of {NODES}", flows.CHAIN), "fan": (f"fan-out of {NODES} and join", flows.FAN)}
_WARM_UP: Final = 3


def main() -> int:
    """Measures whom it is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Measures others beside us.")
    return program.run(parser, "PEER", {peer.program: peer for peer in PEERS}, bench)


def bench(peers: Sequence[Peer], whole: bool) -> Sequence[Row]:
    """Installs everybody first, so that no pip runs while something is measured."""
    refused = {peer.name: error for peer in peers if (error := _install(peer))}
    record, versions = Record(), dict[str, str]()
    with context.running({}) as running:
        described = machine.describe(running)
        running.driver.deploy(flows.chain(NODES))
        running.driver.deploy(flows.fan(NODES))
        for peer in peers:
            record.begin(peer.name)
            error = refused.get(peer.name)
            for row in [_failed(peer, error)] if error else _measure(running, peer, versions):
                record.add(row)
        described |= record.surroundings() | {"libraries": versions}
    record.write("AI Spine beside others", described, prefix="bench-peers", part="peers" if whole else None)
    return record.rows


def _install(peer: Peer) -> str | None:
    sys.stderr.write(f"Installing {peer.requirement} ...\n")
    try:
        install(peer)
    except AISpineError as error:
        return error.message
    return None


def _measure(running: Bench, peer: Peer, versions: dict[str, Any]) -> Iterator[Row]:
    """A row for each shape; the first error becomes one of them."""
    folder = Path(running.stack.home).parent / peer.program
    try:
        with working(peer, running.stack, folder) as worker:
            versions[peer.name] = worker.version
            for shape in _SHAPES:
                yield _compared(running, peer, worker, shape)
    except Exception as error:  # noqa: BLE001 - it is recorded in the result.
        yield _failed(peer, f"{type(error).__name__}: {error}")


def _compared(running: Bench, peer: Peer, worker: Worker, shape: str) -> Row:
    name, flow_id = _SHAPES[shape]
    return compare(
        f"{name}, {peer.name} {worker.version}",
        lambda: running.driver.run(flow_id).noticed,
        lambda: worker.run(shape, NODES),
        beside=peer.name,
        pairs=RUNS,
        warm_up=_WARM_UP,
        bar=peer.bars[shape],
    )


def _failed(peer: Peer, error: str) -> Row:
    return Row(name=peer.name, unit="x", value=None, error=error)


if __name__ == "__main__":
    sys.exit(main())
