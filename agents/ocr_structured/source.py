"""Where the bytes of a document come from: a file of the tenant, a URL, or the input itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from aispine import settings
from aispine.agent import AgentError, Context
from aispine.guards import http, rules
from aispine.guards.failures import CallError

from .refusal import refuse

_SIGNS: Final = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))
_PDF_HEAD: Final = 1024
_OK: Final = 200


def fetch(file: Any, context: Context, max_bytes: int) -> bytes:
    """The bytes of one file: a reference with `file_id`, `{url}`, `{base64}`, a URL, or a `data:` URL."""
    content = _content(file, context, max_bytes)
    if len(content) > max_bytes:
        raise refuse("too_large", f"the file has {len(content):,} bytes, at most {max_bytes:,} are read")
    return content


def _content(file: Any, context: Context, max_bytes: int) -> bytes:
    given = _named(file)
    if "file_id" in given:
        _announced(context.files.info(given), max_bytes)
        return context.files.read(given)
    if isinstance(given.get("base64"), str):
        return _decoded(given["base64"], max_bytes)
    url = given.get("url")
    if isinstance(url, str):
        return _decoded(url.partition(",")[2], max_bytes) if _is_data(url) else _get(url, context, max_bytes)
    raise AgentError("`file` must be a file reference, {url: ...} or {base64: ...}", code="invalid_input")


def _named(file: Any) -> Mapping[str, Any]:
    if isinstance(file, Mapping):
        return file
    if isinstance(file, str):
        return {"url": file} if _is_data(file) or file.startswith(("http://", "https://")) else {"file_id": file}
    return {}


def _is_data(url: str) -> bool:
    return url.startswith("data:") and ";base64," in url[:200]


def _announced(info: Mapping[str, Any], max_bytes: int) -> None:
    if info["size"] > max_bytes:
        raise refuse("too_large", f"the file has {info['size']:,} bytes, at most {max_bytes:,} are read")


def _decoded(text: str, max_bytes: int) -> bytes:
    if len(text) * 3 / 4 > max_bytes + 3:
        raise refuse("too_large", f"the file has more than {max_bytes:,} bytes")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise AgentError("`base64` is no base64", code="invalid_input") from None


def _get(url: str, context: Context, max_bytes: int) -> bytes:
    request = http.Request(
        method="GET", url=url, headers={"Accept": "*/*"}, seconds=context.timeout / 2, limit=max_bytes, callee="file"
    )
    try:
        answer = http.send(request, rules.of(settings.current()))
    except CallError as error:
        raise AgentError(f"`url`: {error.message}", code=_code(error.code)) from error
    if answer.status != _OK:
        raise AgentError(f"`url` answered {answer.status}", code=_code_of(answer.status))
    return answer.body


def _code(code: str) -> str:
    return "too_large" if code == "invalid_response" else code


def _code_of(status: int) -> str:
    return "unavailable" if status >= 500 or status == 429 else "rejected"


def kind(content: bytes) -> str:
    """`pdf`, `png` or `jpeg`, by the first bytes and not by what anybody says. Raises `unsupported_type`."""
    for sign, name in _SIGNS:
        if content.startswith(sign) or (name == "pdf" and sign in content[:_PDF_HEAD]):
            return name
    raise refuse("unsupported_type", "the file is no PDF, PNG or JPEG")
