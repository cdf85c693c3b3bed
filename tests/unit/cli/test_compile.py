"""What `aispine flow compile` shows of nodes with bodies and of nodes that wait."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cli.main import main

FLOW = """
flow_id: nested
version: 1.0.0
name: Nested
nodes:
  - {id: receive, type: input}
  - id: split
    type: fork
    depends_on: [receive]
    branches:
      many:
        - id: pages
          type: map
          items: input.pages
          max_concurrency: 4
          body:
            - {id: ocr, type: processor, agent_id: echo}
            - {id: check, type: processor, agent_id: echo, depends_on: [ocr]}
      one: [{id: pause, type: wait, seconds: 3}]
  - {id: meet, type: join, depends_on: [split]}
  - {id: poll, type: loop, depends_on: [meet], max_iterations: 5, body: [{id: ask, type: approval}]}
  - {id: paid, type: wait, signal: payment, depends_on: [poll]}
  - {id: score, type: subflow, flow_id: credit_analysis, depends_on: [paid]}
"""


def test_bodies_waits_and_subflows_have_their_lines(tmp_path: Path) -> None:
    (tmp_path / "nested.yaml").write_text(FLOW)
    result = CliRunner().invoke(main, ["flow", "compile", str(tmp_path / "nested.yaml")])
    assert result.exit_code == 0, result.output
    assert [line.lstrip("│├└─ ") for line in result.stdout.splitlines()] == [
        "flow nested 1.0.0",
        "at the start",
        "fork split",
        "branch many",
        "with the branch",
        "map pages, each item, 4 at a time",
        "with each item",
        "chain",
        "run ocr (echo)",
        "run check (echo)",
        "branch one",
        "with the branch",
        "wait pause for a time",
        "after split",
        "loop poll, 5 iterations at most",
        "with each iteration",
        "wait ask for a person",
        "after poll",
        "wait paid for the signal payment",
        "after paid",
        "run score (subflow credit_analysis)",
    ]
