"""Every promise names tests that there are."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs.generated import DOCS, ROOT

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_NAMED = _TEST.findall((DOCS / "reliability.md").read_text("utf-8"))


def test_the_page_names_tests() -> None:
    assert len(_NAMED) > 10


@pytest.mark.parametrize(("file", "name"), _NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")
