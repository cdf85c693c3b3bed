"""The expressions of a flow: conditions (Python-like), selections (JMESPath) and templates (`${...}`).

All are parsed once, bounded in size and work, and read nothing but the scope that they are given: a mapping whose
keys are among `ROOTS`.
"""

from __future__ import annotations

from aispine.flow.condition import Condition
from aispine.flow.operators import FUNCTIONS
from aispine.flow.references import ROOTS, References
from aispine.flow.selection import Selection
from aispine.flow.template import Template

__all__ = ["FUNCTIONS", "ROOTS", "Condition", "References", "Selection", "Template"]
