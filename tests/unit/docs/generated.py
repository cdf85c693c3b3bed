"""The parts of the documents that come out of the code. `python -m tests.unit.docs.generated` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from aispine.flow import schema

ROOT: Final = Path(__file__).parents[3]
DOCS: Final = ROOT / "docs"
FLOW_LANGUAGE: Final = DOCS / "flow-language.md"
FLOW_SCHEMA: Final = DOCS / "flow.schema.json"
MARK: Final = "<!-- What follows is generated: python -m tests.unit.docs.generated -->\n"


def flow_language() -> str:
    """The page about the language: what is written by hand, then the reference of its keys."""
    written, mark, _ = FLOW_LANGUAGE.read_text("utf-8").partition(MARK)
    if not mark:
        raise AssertionError(f"{FLOW_LANGUAGE} has lost its mark")
    return f"{written}{MARK}\n{schema.reference()}"


def flow_schema() -> str:
    """The JSON Schema of a flow file, for editors."""
    return json.dumps(schema.json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FLOW_LANGUAGE.write_text(flow_language(), "utf-8")
    FLOW_SCHEMA.write_text(flow_schema(), "utf-8")
