from __future__ import annotations

import dataclasses
from pathlib import Path

import aispine
from aispine.agent import Context
from aispine.agent.contract import FailureCode
from aispine.agent.folder import built_in
from aispine.agent.manifest import KEYS

TEXT = (Path(aispine.__file__).parent.parent / "docs" / "agents.md").read_text("utf-8")


def undocumented(words):
    return [word for word in words if f"`{word}`" not in TEXT]


def test_every_key_of_a_definition_is_documented():
    assert undocumented(KEYS) == []


def test_every_failure_code_has_its_row():
    assert [code for code in FailureCode if f"\n| `{code}` |" not in TEXT] == []


def test_every_built_in_agent_has_its_row():
    assert [path.name for path in built_in().iterdir() if f"\n| `{path.name}` |" not in TEXT] == []


def test_what_an_agent_learns_of_its_call_is_documented():
    assert undocumented(field.name for field in dataclasses.fields(Context)) == []
