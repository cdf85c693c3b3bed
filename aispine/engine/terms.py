"""What a decision needs to know about the process that takes it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """`lease` and `lost_after` in seconds; `rng` is for jitter."""

    owner: str
    lease: float = 10.0
    lost_after: float = 600.0
    """How long a queued node's message may take before the slow fallback sends it again."""
    max_lost_attempts: int = 3
    rng: random.Random = field(default_factory=random.Random)
