"""docs/flow-language.md and the flows inside the documents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from aispine.flow import validation
from aispine.flow.model import NodeType
from tests.unit.docs.generated import DOCS, FLOW_LANGUAGE, FLOW_SCHEMA, ROOT, flow_language, flow_schema
from tests.unit.docs.markdown import blocks, documents, rows, section


def flows() -> list[tuple[Path, str]]:
    return [(path, text) for path in documents() for text in blocks(path, "yaml") if text.startswith("flow_id:")]


def samples() -> list[Path]:
    return sorted(path for path in (ROOT / "flows").rglob("*.yaml") if not validation.is_test_file(path.name))


def test_the_reference_is_what_the_code_says() -> None:
    assert FLOW_LANGUAGE.read_text("utf-8") == flow_language(), "run: python -m tests.unit.docs.generated"


def test_the_published_schema_is_what_the_code_says() -> None:
    assert FLOW_SCHEMA.read_text("utf-8") == flow_schema(), "run: python -m tests.unit.docs.generated"


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_the_published_schema_accepts_the_sample_flows(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(FLOW_SCHEMA.read_text("utf-8")))
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text("utf-8")))] == []


def test_every_node_type_is_there() -> None:
    table = rows(section(FLOW_LANGUAGE, "Nodes"))
    documented = [name for row in table for name in re.findall(r"\w+", row[0].partition("(")[0])]
    assert sorted(documented) == sorted(NodeType)


def test_there_are_flows_to_check() -> None:
    assert {path for path, _ in flows()} >= {ROOT / "README.md", DOCS / "flow-language.md"}


@pytest.mark.parametrize(("path", "text"), flows(), ids=lambda value: value.name if isinstance(value, Path) else "")
def test_every_flow_in_a_document_is_valid(path: Path, text: str) -> None:
    assert validation.check(text, path.name)[1] == ()


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_yaml_block_can_be_read(path: Path) -> None:
    for text in blocks(path, "yaml"):
        assert isinstance(yaml.safe_load(text), dict | list)
