from __future__ import annotations

import dataclasses
from pathlib import Path

import aispine
from aispine.agent import Context
from aispine.agent.contract import FailureCode
from aispine.agent.folder import built_in
from aispine.agent.llm import recipe
from aispine.agent.manifest import KEYS, LLM_KEYS
from aispine.agent.sample import LINE

DOCS = Path(aispine.__file__).parent.parent / "docs"
TEXT = (DOCS / "agents.md").read_text("utf-8")
MODELS = (DOCS / "models.md").read_text("utf-8")


def undocumented(words, text=TEXT):
    return [word for word in words if f"`{word}`" not in text]


def test_every_key_of_a_definition_is_documented():
    assert undocumented(name for name in KEYS if name not in LLM_KEYS) == []


def test_every_key_of_a_model_and_of_its_samples_is_documented():
    assert undocumented([*LLM_KEYS, *recipe.MODEL_KEYS, *LINE], MODELS) == []


def test_every_failure_code_has_its_row():
    assert [code for code in FailureCode if f"\n| `{code}` |" not in TEXT] == []


def test_every_built_in_agent_has_its_row():
    assert [path.name for path in built_in().iterdir() if f"\n| `{path.name}` |" not in TEXT] == []


def test_what_an_agent_learns_of_its_call_is_documented():
    assert undocumented(field.name for field in dataclasses.fields(Context)) == []
