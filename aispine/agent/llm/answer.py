"""A model's text as the value that the agent's `output_schema` asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from aispine.errors import InvalidInput
from aispine.flow.inputs import check_value
from aispine.flow.jsonvalue import parse

_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL)
MOST_TOLD: Final = 10


def read(text: str, schema: Mapping[str, Any] | None) -> tuple[Any, list[str]]:
    """The value, and where it does not fit; without a schema any text does."""
    if schema is None:
        return text, []
    fenced = _FENCED.fullmatch(text)
    try:
        value = parse((fenced[1] if fenced else text).encode("utf-8", "replace"))
        check_value(schema, value, "output")
    except InvalidInput as error:
        return None, [f"{each['path']}: {each['message']}" for each in error.errors][:MOST_TOLD] or [error.message]
    except ValueError as error:
        return None, [f"it is not JSON: {error}"]
    return value, []


def complaint(misfits: list[str]) -> dict[str, Any]:
    """The message that asks the model to mend its answer."""
    listed = "\n".join(f"- {misfit}" for misfit in misfits)
    words = f"That answer does not fit the JSON Schema that it must fit:\n{listed}\nAnswer again, with the JSON alone."
    return {"role": "user", "content": words}
