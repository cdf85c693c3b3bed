"""The files of an agent that runs without a stack: those beside its samples."""

from __future__ import annotations

from pathlib import Path

from aispine.agent.contract import AgentFailure, AgentReply, FailureCode
from aispine.agent.testing import load_agent

CODE = """
def execute(input, config, context):
    text = context.files.read(input["document"])
    made = context.files.write(text.upper(), name="loud.txt")
    again = context.files.read(made)
    return {"kind": context.files.info(input["document"])["media_type"], "made": made, "again": again.decode()}
"""


def _agent(tmp_path: Path) -> Path:
    (tmp_path / "agent.yaml").write_text("agent_id: reader\nversion: 1.0.0\npool: io\n")
    (tmp_path / "agent.py").write_text(CODE)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "note.txt").write_text("hello")
    return tmp_path


def test_an_agent_reads_the_files_of_its_samples_and_what_it_wrote(tmp_path: Path) -> None:
    outcome = load_agent(_agent(tmp_path)).run({"document": {"file_id": "note.txt"}})
    assert isinstance(outcome, AgentReply), outcome
    assert outcome.output["kind"] == "text/plain"
    assert outcome.output["again"] == "HELLO"
    assert (outcome.output["made"]["name"], outcome.output["made"]["size"]) == ("loud.txt", 5)


def test_a_file_that_is_not_there_is_the_inputs_fault(tmp_path: Path) -> None:
    agent = load_agent(_agent(tmp_path))
    for document in ("other.txt", "../agent.py", {}, ""):
        outcome = agent.run({"document": document})
        assert isinstance(outcome, AgentFailure)
        assert outcome.code == FailureCode.INVALID_INPUT
