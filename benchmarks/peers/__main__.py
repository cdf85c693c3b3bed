"""`python -m benchmarks.peers [NAME ...]`: the same work, ours and theirs in turn; 1 when a bar is missed."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from aispine.errors import AISpineError
from benchmarks import context, flows, machine, report
from benchmarks.context import Bench
from benchmarks.peers.catalog import PEERS
from benchmarks.peers.peer import Peer, Worker, install, working
from benchmarks.row import Row, compare
from benchmarks.shapes import NODES, RUNS

_SHAPES: Final = {"chain": (f"chain of {NODES}", flows.CHAIN), "fan": (f"fan-out of {NODES} and join", flows.FAN)}
_WARM_UP: Final = 3


def main() -> int:
    """Measures whom it is asked for; returns the exit code."""
    known = tuple(peer.program for peer in PEERS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Measures others beside us.")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"who is measured, all unless given: {known}")
    wanted = set(parser.parse_args().peers)
    if unknown := sorted(wanted - set(known)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = [peer for peer in PEERS if not wanted or peer.program in wanted]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rows = bench(chosen, whole=len(chosen) == len(PEERS))
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if all(row.ok for row in rows) else 1


def bench(peers: Sequence[Peer], *, whole: bool) -> list[Row]:
    """Installs everybody first, so that no pip runs while something is measured."""
    refused = {peer.name: error for peer in peers if (error := _install(peer))}
    rows: list[Row] = []
    versions: dict[str, str] = {}
    started, strangers = time.monotonic(), machine.Strangers()
    with context.running({}) as running:
        described = machine.describe(running)
        running.driver.deploy(flows.chain(NODES))
        running.driver.deploy(flows.fan(NODES))
        for peer in peers:
            error = refused.get(peer.name)
            for row in [_failed(peer, error)] if error else _measure(running, peer, versions):
                report.tell(row)
                rows.append(row)
    described["strangers_share"] = round(strangers.share(), 3)
    described["took_s"] = round(time.monotonic() - started)
    described["libraries"] = versions
    report.write(rows, described, prefix="bench-peers")
    report.show("AI Spine beside others", rows, described)
    if whole:
        report.publish("peers", report.lines(rows), described)
    return rows


def _install(peer: Peer) -> str | None:
    sys.stderr.write(f"Installing {peer.requirement} ...\n")
    try:
        install(peer)
    except AISpineError as error:
        return error.message
    return None


def _measure(running: Bench, peer: Peer, versions: dict[str, Any]) -> Iterator[Row]:
    """A row for each shape; the first error becomes one of them."""
    sys.stderr.write(f"{peer.name}\n")
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
