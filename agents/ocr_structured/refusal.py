"""Why a document cannot be read: codes that flows can tell apart, shown as `detail.error_code` of an `agent_error`."""

from __future__ import annotations

from typing import Any, Final

from aispine.agent import AgentError

CODES: Final = {
    "unsupported_type": "The file is no PDF, PNG or JPEG.",
    "too_large": "The file has more bytes than `max_bytes`, or unpacks to far too many.",
    "too_many_pages": "The document has more pages than `max_pages`.",
    "too_many_pixels": "The picture has more pixels than `max_pixels`.",
    "broken_file": "The file cannot be opened, or ends too early.",
    "password_protected": "The PDF needs a password.",
    "nothing_readable": "There is no text in it.",
    "not_installed": "The extra `ocr` is not installed on this worker.",
}


def refuse(code: str, message: str, **detail: Any) -> AgentError:
    """The error to raise: `code` is one of `CODES`."""
    if code not in CODES:
        raise ValueError(code)
    return AgentError(message, code=code, detail=detail)
