"""The table at the end of a campaign."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.campaign import Outcome

_NOTES = 20


def show(outcome: Outcome) -> None:
    """Prints the figures, and every one that is not as it must be."""
    verdict, campaign = outcome.verdict, outcome.campaign
    table = Table(title=f"N={campaign.count} SEED={campaign.seed} {campaign.mutant or ''}", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    rows = {
        "executions started": verdict.started,
        "ended": verdict.ended,
        "stuck": verdict.stuck,
        "wrong results": verdict.wrong,
        "joins fired twice": verdict.joins_twice,
        "effects recorded twice": verdict.effects_twice,
        "agent calls repeated": f"{verdict.repeated} of {verdict.explained} explained",
        "of nodes that were not lost": verdict.unexplained,
        "quick calls repeated": f"{verdict.ahead} ahead of their record",
        "latest loss seen after": f"{verdict.seen_after:.1f} s",
        "longest recovery": f"{verdict.longest_recovery:.1f} s",
        "median recovery": f"{verdict.median_recovery:.1f} s",
        "seconds": f"{outcome.seconds:.0f}",
    }
    rows |= {f"fault: {kind}": count for kind, count in sorted(outcome.faults.items())}
    rows |= {f"messages {kind}": count for kind, count in sorted(outcome.messages.items())}
    rows |= {f"/metrics {each.name}": f"{each.shown} of {each.true}" for each in outcome.figures}
    for name, value in rows.items():
        table.add_row(name, str(value))
    console = Console()
    console.print(table)
    if verdict.slowest:
        console.print(f"slowest: {verdict.slowest}", highlight=False, markup=False)
    for line in [*verdict.notes[:_NOTES], *outcome.misses]:
        console.print(f"! {line}", highlight=False, markup=False)
    console.print("right" if not outcome.misses else "NOT RIGHT")
