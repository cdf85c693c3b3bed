"""Tries one strategy after another until the answer is sure enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from aispine.agent import AgentError, Context

from . import reading, remembered, result, source, tesseract
from .document import Page
from .reading import Leaf
from .refusal import refuse
from .request import Request
from .result import Result


def read(request: Request, context: Context, today: date) -> dict[str, Any]:
    """The agent's output. Raises `AgentError` with one of the codes of `refusal` when there is nothing to answer."""
    contents = [source.fetch(file, context, request.limits.max_bytes) for file in request.files]
    files = reading.leaves(contents, request)
    leaves = [leaf for own in files for leaf in own]
    best: Result | None = None
    tried: list[dict[str, Any]] = []
    for name in _possible(request, leaves):
        found = _tried(name, leaves, request, context, today, best)
        tried.append({"strategy": name, "confidence": None if found is None else round(found.confidence, 4)})
        if found is not None and (best is None or _rank(found, leaves) > _rank(best, leaves)):
            best = found
        if best is not None and _enough(best, leaves, request):
            break
    if best is None:
        raise refuse("nothing_readable", "there is no text in it", tried=tried)
    return result.as_output(best, request.schema, tried) | {"readings": _readings(best, contents, files)}


def _readings(best: Result, contents: Sequence[bytes], files: Sequence[Sequence[Leaf]]) -> list[dict[str, str]]:
    """What is given back so that no file is read twice; what a model said is asked again with every new page."""
    if "vision" in best.strategies:
        return []
    pages = {page.number: page for page in best.pages}
    kept = zip(contents, files, strict=True)
    return [remembered.keep(content, [pages.get(leaf.number) for leaf in own]) for content, own in kept]


def _rank(found: Result, leaves: Sequence[Leaf]) -> tuple[bool, float]:
    return not _partial(found, leaves), found.confidence


def _partial(found: Result, leaves: Sequence[Leaf]) -> bool:
    """True when a PDF has text on some of its pages, and others are pictures that nobody has looked at."""
    return found.strategies == ("pdf_text",) and len(found.pages) < len(leaves)


def _possible(request: Request, leaves: Sequence[Leaf]) -> list[str]:
    """The strategies that are asked for, that this worker has, and that these pages can be read by."""
    there = {
        "pdf_text": any(leaf.text is not None for leaf in leaves),
        "tesseract": tesseract.installed(),
        "vision": request.vision is not None,
    }
    return [name for name in request.strategies if there.get(name, True)]


def _enough(best: Result, leaves: Sequence[Leaf], request: Request) -> bool:
    """What a PDF says of itself is not read better from a picture of it."""
    sure = best.confidence >= request.min_confidence or best.strategies == ("pdf_text",)
    return sure and not _partial(best, leaves)


def _tried(
    name: str, leaves: Sequence[Leaf], request: Request, context: Context, today: date, best: Result | None
) -> Result | None:
    if name == "vision":
        return _by_vision(leaves, request, context, best)
    pages = [page for leaf in leaves if (page := _page(name, leaf, request, today)) is not None]
    return result.assemble(pages, request.schema) if pages else None


def _page(name: str, leaf: Leaf, request: Request, today: date) -> Page | None:
    """A page that was read before, or has text of its own, stays as it is while others are looked at."""
    if leaf.known:
        return leaf.page
    own = reading.pdf_text(leaf, today) if "pdf_text" in request.strategies else None
    return own or reading.BY_NAME[name](leaf, today)


def _by_vision(leaves: Sequence[Leaf], request: Request, context: Context, best: Result | None) -> Result | None:
    from . import vision

    try:
        return vision.ask(leaves, request, context, best)
    except AgentError as error:
        if best is None:
            raise
        context.log.warning("the vision model did not help: %s", error.message)
        return None
