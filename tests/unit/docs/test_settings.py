"""docs/settings.md names every setting as it is."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, Final

from aispine.settings import Settings
from tests.unit.docs.generated import DOCS
from tests.unit.docs.markdown import rows, section

TYPES: Final = {
    "Path": "path",
    "str": "text",
    "str | None": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
}


def default(field: Field[Any]) -> str:
    assert field.default is not MISSING
    if field.default in (None, ""):
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def test_every_setting_is_there_with_its_variable_type_and_default() -> None:
    documented = [row[:4] for row in rows(section(DOCS / "settings.md", "Every setting"))]
    assert documented == [
        (field.name, f"AISPINE_{field.name.upper()}", TYPES[str(field.type)], default(field))
        for field in fields(Settings)
    ]


def test_every_setting_says_what_it_does() -> None:
    assert [row[0] for row in rows(section(DOCS / "settings.md", "Every setting")) if len(row[4]) < 20] == []
