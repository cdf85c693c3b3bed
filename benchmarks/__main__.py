"""`python -m benchmarks [GROUP ...]`: measures, prints one table, writes `build/bench.json`; 1 when a bar is missed."""

from __future__ import annotations

import sys

from benchmarks.bench import main

sys.exit(main())
