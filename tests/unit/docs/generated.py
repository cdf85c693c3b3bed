"""The parts of the documents that come out of the code. `python -m tests.unit.docs.generated` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from aispine.flow import schema

ROOT: Final = Path(__file__).parents[3]
DOCS: Final = ROOT / "docs"
FLOW_LANGUAGE: Final = DOCS / "flow-language.md"
FLOW_TESTS: Final = DOCS / "flow-tests.md"
FLOW_SCHEMA: Final = DOCS / "flow.schema.json"
MARK: Final = "<!-- What follows is generated: python -m tests.unit.docs.generated -->\n"


def flow_language() -> str:
    """The page about the language: what is written by hand, then the reference of its keys."""
    return f"{written(FLOW_LANGUAGE)}{MARK}\n{schema.reference()}"


def flow_tests() -> str:
    """The page about tests of flows, made in the same way."""
    return f"{written(FLOW_TESTS)}{MARK}\n{schema.rehearsal_reference()}"


def written(page: Path) -> str:
    """What is written by hand of a page."""
    text, mark, _ = page.read_text("utf-8").partition(MARK)
    if not mark:
        raise AssertionError(f"{page} has lost its mark")
    return text


def flow_schema() -> str:
    """The JSON Schema of a flow file, for editors."""
    return json.dumps(schema.json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FLOW_LANGUAGE.write_text(flow_language(), "utf-8")
    FLOW_TESTS.write_text(flow_tests(), "utf-8")
    FLOW_SCHEMA.write_text(flow_schema(), "utf-8")
