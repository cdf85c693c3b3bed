"""Reads documents: the fields of a schema and the machine-readable zone, out of PDFs and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, Final

from aispine.agent import Context, Reply

from . import request as requests
from .refusal import refuse

_NEEDED: Final = ("rapidocr", "onnxruntime", "cv2", "numpy", "PIL", "pdfplumber", "pypdfium2")


def execute(input: Any, config: Mapping[str, Any], context: Context) -> Reply:
    """Answers with the fields, each with its confidence, page and box, and with the zone."""
    request = requests.parse(input, config)
    lacking = [name for name in _NEEDED if find_spec(name) is None]
    if lacking:
        raise refuse("not_installed", f"{', '.join(lacking)} missing on this worker: pip install 'aispine[ocr]'")
    from . import document_reader

    output = document_reader.read(request, context, datetime.now(UTC).date())
    return Reply(output, message=_summary(output), metadata={"strategy": output["strategy"]})


def _summary(output: Mapping[str, Any]) -> str:
    """Says how much was found and never what: people's data stay out of messages."""
    found = sum(value is not None for value in output["fields"].values())
    zone = output["mrz"]
    parts = [f"{found} of {len(output['fields'])} fields"] if output["fields"] else []
    parts += [f"a {zone['format']} zone whose check digits {'hold' if zone['valid'] else 'fail'}"] if zone else []
    return f"Read {' and '.join(parts) or 'the text'} with {output['strategy']}."
