"""`make bench-kyc`: guests end to end and webhooks under load on `aispine up` as it comes; exits with 1 below a bar."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.kyc import guests, webhooks
from benchmarks.kyc.webhooks import percentile
from benchmarks.machine import Strangers
from benchmarks.report import BUILD
from cli import local_stack, standin
from cli.client import Client
from cli.guests import hotel
from cli.guests.play import Played
from cli.standin import WhatsApp

END_TO_END: Final = 15.0
ANSWERED: Final = 0.05
RATE: Final = 50.0
_RESULT: Final = "bench-kyc.json"


def main() -> int:
    """Measures, shows and writes; 1 when a bar is missed or an outcome is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=17, help="rounds of six guests at once")
    parser.add_argument("--seconds", type=float, default=20, help="of webhooks at 50 a second")
    given = parser.parse_args()
    strangers = Strangers()
    with standin.serving() as service, local_stack.temporary_home() as home, _stack(home, service) as client:
        opened = hotel.open_hotel(client, service)
        played = _played(client, opened, given.rounds)
        arrived = webhooks.answered(opened, rate=RATE, seconds=given.seconds)
    figures = _figures(played, arrived, service.problems) | {"strangers_share": round(strangers.share(), 3)}
    _show(figures)
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / _RESULT).write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0 if figures["holds"] else 1


@contextmanager
def _stack(home: Path, service: WhatsApp) -> Iterator[Client]:
    with local_stack.started(home, {"AISPINE_WHATSAPP_URL": service.url}) as stack:
        yield stack.wait()


def _played(client: Client, opened: hotel.Hotel, count: int) -> list[Played]:
    found: list[Played] = []
    for number, played in enumerate(guests.rounds(client, opened, count), start=1):
        found += played
        slowest = max(one.seconds for one in played)
        print(f"round {number} of {count}: {slowest:.1f} s, {_wrong(played)} wrong", file=sys.stderr, flush=True)
    return found


def _wrong(played: Sequence[Played]) -> int:
    return sum(not one.right for one in played)


def _figures(played: Sequence[Played], arrived: Sequence[float], problems: Sequence[str]) -> dict[str, Any]:
    seconds = [one.seconds for one in played]
    found: dict[str, Any] = {
        "usable_cores": len(psutil.Process().cpu_affinity() or ()),
        "load": [round(load, 2) for load in os.getloadavg()],
        "executions": len(played),
        "expected_outcomes": len(played) - _wrong(played),
        "unexpected": [f"{one.guest}: {one.found} ({one.found.reason})" for one in played if not one.right],
        "pictures_asked_for": sum(one.asked for one in played),
        "end_to_end_median_s": median(seconds),
        "end_to_end_p95_s": percentile(seconds, 0.95),
        "end_to_end_by_guest_s": _by_guest(played),
        "webhooks": len(arrived),
        "webhooks_per_second": RATE,
        "webhook_median_s": median(arrived),
        "webhook_p95_s": percentile(arrived, 0.95),
        "webhook_p99_s": percentile(arrived, 0.99),
        "refused_by_whatsapp": list(problems),
    }
    in_time = found["end_to_end_p95_s"] <= END_TO_END and found["webhook_p95_s"] <= ANSWERED
    return found | {"holds": in_time and not found["unexpected"] and not problems}


def _by_guest(played: Sequence[Played]) -> dict[str, float]:
    kinds = dict.fromkeys(one.guest.about for one in played)
    return {about: median(one.seconds for one in played if one.guest.about == about) for about in kinds}


def _show(figures: Mapping[str, Any]) -> None:
    table = Table("measure", "figure", "bar", title="The identity check, six guests at once", title_justify="left")
    table.add_row("executions with the expected outcome", f"{figures['expected_outcomes']}", f"{figures['executions']}")
    table.add_row("end to end, median", f"{figures['end_to_end_median_s']:.1f} s", "")
    table.add_row("end to end, p95", f"{figures['end_to_end_p95_s']:.1f} s", f"<= {END_TO_END:g} s")
    for about, seconds in figures["end_to_end_by_guest_s"].items():
        table.add_row(f"  {about}, median", f"{seconds:.1f} s", "", style="dim")
    for name in ("median", "p95", "p99"):
        bar = f"<= {ANSWERED * 1000:g} ms" if name == "p95" else ""
        table.add_row(f"webhook answered, {name}", f"{figures[f'webhook_{name}_s'] * 1000:.1f} ms", bar)
    console = Console()
    console.print(table)
    for line in figures["unexpected"]:
        console.print(f"unexpected: {line}")
    console.print(
        f"{figures['usable_cores']} cores; other programs took {figures['strangers_share']:.0%} of them meanwhile."
    )


sys.exit(main())
