"""What nodes build from each other's outputs is bounded, however little each of them adds."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from aispine.engine.facts import Started
from aispine.flow import validation
from tests.unit.engine.simulation import World

DIAMONDS = "\n".join(
    f"""
  - {{id: left{n}, type: transform, depends_on: [meet{n}]}}
  - {{id: right{n}, type: transform, depends_on: [meet{n}]}}
  - {{id: meet{n + 1}, type: transform, depends_on: [left{n}, right{n}]}}"""
    for n in range(40)
)
TWO_EXITS = """
  - id: again
    depends_on: [meet0]
    type: loop
    max_iterations: 60
    body: [{id: x, type: transform}, {id: y, type: transform}]"""
LOOP_IN_LOOP = """
  - id: again
    depends_on: [meet0]
    type: loop
    max_iterations: 60
    body: [{id: inner, type: loop, max_iterations: 1, body: [{id: x, type: transform}]}]"""
FORK_IN_LOOP = """
  - id: again
    depends_on: [meet0]
    type: loop
    max_iterations: 60
    body:
      - {id: split, type: fork, branches: {one: [{id: x, type: transform}], two: [{id: y, type: transform}]}}
      - {id: meet, type: join, depends_on: [split]}"""


def _run(nodes: str) -> Mapping[str, Any] | None:
    source = f"flow_id: growing\nversion: 1.0.0\nnodes:\n  - {{id: meet0, type: input}}{nodes}\n"
    world = World(validation.load(source), {"seed": "x" * 100}, {}, Random(0))
    world.advance([Started()], take_from="engine")
    world.run()
    assert world.execution.status == "failed"
    return world.execution.error


@pytest.mark.parametrize("nodes", [DIAMONDS, TWO_EXITS, LOOP_IN_LOOP, FORK_IN_LOOP])
def test_outputs_that_double_from_node_to_node_end_the_execution(nodes: str) -> None:
    error = _run(nodes)
    assert error is not None
    assert error["code"] == "expression_error"
    assert "the value is" in error["message"]
