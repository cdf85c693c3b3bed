"""The value that stands for a file in inputs, contexts and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aispine.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReference:
    """What a file is, without its content; `size` in bytes, `sha256` in hex."""

    file_id: str
    name: str
    media_type: str
    size: int
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON object that nodes pass on."""
        return asdict(self)


def file_id_of(value: str | Mapping[str, Any]) -> str:
    """The id in a reference, or the id itself. Raises `InvalidRequest` when it is neither."""
    found = value.get("file_id") if isinstance(value, Mapping) else value
    if not isinstance(found, str) or not found:
        raise InvalidRequest(
            "A file is given by its reference or its `file_id`",
            field="file_id",
            hint="Send it with POST /api/v1/files.",
        )
    return found
