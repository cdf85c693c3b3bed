"""What a tenant's calls of an agent came to, by version: how many, how many went well, how long they took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from aispine.agent import registry
from aispine.engine.agent_calls import SUCCESS
from aispine.engine.metrics import BUCKETS
from aispine.flow import semver
from aispine.store import agent_metrics
from aispine.store.models import AgentMetricRow

DAYS: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Seconds of a call; `p50` and `p95` are estimates within the bounds of a histogram."""

    mean: float
    p50: float
    p95: float
    max: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The calls of one version; `errors` counts those that failed by their code."""

    version: str
    calls: int
    succeeded: int
    success_rate: float
    errors: Mapping[str, int]
    latency: Latency


def show(session: Session, tenant_id: str, agent_id: str, days: int = DAYS) -> list[Figures]:
    """The figures of the last days, the highest version first; a version that was not called has none.

    Raises `NotFound` when the tenant sees no such agent.
    """
    registry.show(session, tenant_id, agent_id)
    by_version: dict[str, list[AgentMetricRow]] = defaultdict(list)
    for row in agent_metrics.since(session, tenant_id, agent_id, days):
        by_version[row.version].append(row)
    order = sorted(by_version, key=lambda version: semver.parse_version(version).precedence_key, reverse=True)
    return [_figures(version, by_version[version]) for version in order]


def _figures(version: str, rows: Sequence[AgentMetricRow]) -> Figures:
    by_outcome: dict[str, int] = defaultdict(int)
    for row in rows:
        by_outcome[row.outcome] += row.calls
    calls = sum(by_outcome.values())
    succeeded = by_outcome.pop(SUCCESS, 0)
    slowest = max(row.slowest for row in rows)
    buckets = [sum(counts) for counts in zip(*(row.buckets for row in rows), strict=True)]
    return Figures(
        version=version,
        calls=calls,
        succeeded=succeeded,
        success_rate=round(succeeded / calls, 4),
        errors=dict(sorted(by_outcome.items())),
        latency=Latency(
            mean=round(sum(row.seconds for row in rows) / calls, 4),
            p50=quantile(buckets, 0.5, slowest),
            p95=quantile(buckets, 0.95, slowest),
            max=round(slowest, 4),
        ),
    )


def quantile(buckets: Sequence[int], share: float, slowest: float) -> float:
    """The seconds within which a share of the calls ended, as even as they may lie inside a bucket."""
    rank = share * sum(buckets)
    below = 0.0
    for place, count in enumerate(buckets):
        low = BUCKETS[place - 1] if place else 0.0
        high = min(BUCKETS[place], slowest) if place < len(BUCKETS) else slowest
        if count and below + count >= rank:
            return round(low + (high - low) * (rank - below) / count, 4)
        below += count
    return round(slowest, 4)
