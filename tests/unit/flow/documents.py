"""Small flow files, and what is wrong with them."""

from aispine.flow.tree import Limits
from aispine.flow.validation import check

HEAD = "flow_id: f\nversion: 1.0.0\nnodes:\n"
START = "  - {id: a, type: input}\n"


def problems(text, **limits):
    flow, found = check(text, limits=Limits(**limits) if limits else Limits())
    assert (flow is None) == bool(found)
    return found


def codes(text, **limits):
    return [problem.code for problem in problems(text, **limits)]
