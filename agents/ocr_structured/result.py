"""The answer: fields with what they stand on, the zone, and how sure all of it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Final

from . import extract, labels
from .document import Page
from .extract import Field
from .mrz import PageZone

_IN_ZONE: Final = {
    "surname": "surname",
    "given_names": "given_names",
    "full_name": "full_name",
    "document_number": "number",
    "nationality": "nationality",
    "birth_date": "birth_date",
    "expiry_date": "expiry_date",
    "sex": "sex",
    "personal_number": "optional",
    "issuing_state": "issuing_state",
}
_NAMES: Final = frozenset({"surname", "given_names", "full_name"})
_NUMBERS: Final = frozenset({"document_number", "personal_number"})
_LOOKS: Final = str.maketrans("OI", "01")
"""In print nothing but their class tells these apart; the zone has check digits to do it by."""
_CHECKED, _UNCHECKED, _WRONG = 0.99, 0.95, 0.3
_MENDED: Final = (0.9, 0.6, 0.4)
"""With one, two and more characters that a check digit decided: it lets one of ten wrong texts through."""
_SAME_NAME: Final = 0.85
_SPELT: Final = str.maketrans(
    {"Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Æ": "AE", "Ø": "OE", "ß": "SS", "Ð": "D", "Þ": "TH", "Ł": "L"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one strategy made of a document. `agrees` says of a field whether print and zone say the same."""

    pages: tuple[Page, ...]
    fields: Mapping[str, Field]
    agrees: Mapping[str, bool]
    missing: tuple[str, ...]
    zone: PageZone | None
    confidence: float

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies that its pages were read by."""
        return tuple(dict.fromkeys(page.strategy for page in self.pages))


def assemble(pages: Sequence[Page], schema: Mapping[str, Any]) -> Result:
    """The result that pages come to under a schema."""
    lines = [line for page in pages for line in page.lines]
    zones = [page.zone for page in pages if page.zone is not None]
    zone = min(zones, key=lambda one: (not one.zone.valid, one.zone.cost), default=None)
    printed = extract.fields(lines, schema)
    fields: dict[str, Field] = {}
    agrees: dict[str, bool] = {}
    for name, rules in schema.get("properties", {}).items():
        concept = labels.concept(name, rules)
        field, alike = _settled(concept, printed.get(name), _from_zone(concept, zone))
        if field is not None:
            fields[name] = field
        if alike is not None:
            agrees[name] = alike
    bare = Result(pages=tuple(pages), fields={}, agrees=agrees, missing=(), zone=zone, confidence=0.0)
    return with_fields(bare, fields, schema)


def with_fields(result: Result, fields: Mapping[str, Field], schema: Mapping[str, Any]) -> Result:
    """The result with these fields, and what follows from them: what is missing, and the confidence."""
    missing = tuple(name for name in schema.get("required", []) if name not in fields)
    confidence = _confidence(schema, fields, result.zone, result.pages)
    return replace(result, fields=fields, missing=missing, confidence=confidence)


def _from_zone(concept: str, zone: PageZone | None) -> Field | None:
    name = _IN_ZONE.get(concept)
    value = None if zone is None or name is None else zone.zone.fields.get(name)
    if zone is None or name is None or value in (None, ""):
        return None
    confidence = _zone_confidence(name, zone)
    return Field(value=value, raw=str(value), confidence=confidence, page=zone.page, box=zone.box, source="mrz")


def _zone_confidence(name: str, found: PageZone) -> float:
    zone = found.zone
    own = [repair for repair in zone.repairs if repair.field.removesuffix("_check") == name]
    guessed = sum(repair.decided_by != "character_class" for repair in own)
    if zone.checks.get(name) is False:
        return _WRONG
    if guessed:
        return _MENDED[min(guessed, len(_MENDED)) - 1]
    if name in zone.checks:
        return _CHECKED
    return min(_UNCHECKED, max(_MENDED[0], found.confidence)) if zone.valid else min(_MENDED[0], found.confidence) / 2


def _whole_confidence(found: PageZone) -> float:
    """That of its least sure field."""
    return min(_zone_confidence(name, found) for name in ("surname", "number", "birth_date", "expiry_date", "optional"))


def _settled(concept: str, printed: Field | None, zoned: Field | None) -> tuple[Field | None, bool | None]:
    """The print where both say the same, since it has the accents; the zone where they differ or there is no print."""
    if printed is None or zoned is None:
        return printed or zoned, None
    if not same(concept, printed.value, zoned.value):
        return (zoned if zoned.confidence >= _MENDED[0] else max(printed, zoned, key=lambda one: one.confidence)), False
    if concept in _NAMES or concept == "nationality":
        return replace(printed, confidence=max(printed.confidence, zoned.confidence)), True
    return replace(printed, value=zoned.value, confidence=max(printed.confidence, zoned.confidence)), True


def same(concept: str, printed: Any, zoned: Any) -> bool:
    """True when print and zone say the same of a field, as far as each can write it."""
    one, other = _letters(str(printed)), _letters(str(zoned))
    if concept in _NAMES:
        cut = one.startswith(other) or other.startswith(one)
        return cut or SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SAME_NAME
    if concept == "nationality":
        return one[:3] == other[:3] or len(one) > 3  # A word cannot be compared with a code.
    if concept in _NUMBERS:
        return one.translate(_LOOKS) == other.translate(_LOOKS)
    return one == other


def _letters(text: str) -> str:
    spelt = unicodedata.normalize("NFKD", text.upper().translate(_SPELT))
    return re.sub(r"[^A-Z0-9]", "", spelt.encode("ascii", "ignore").decode())


def _confidence(
    schema: Mapping[str, Any], fields: Mapping[str, Field], zone: PageZone | None, pages: Sequence[Page]
) -> float:
    """The mean of the required fields, else of all that are asked for; without any, of the zone or of the pages."""
    asked = schema.get("required") or list(schema.get("properties", {}))
    if asked:
        return sum(fields[name].confidence for name in asked if name in fields) / len(asked)
    if zone is not None:
        return _whole_confidence(zone)
    return sum(page.confidence for page in pages) / len(pages) if pages else 0.0


def as_output(result: Result, schema: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result as the agent answers it."""
    wanted = schema.get("properties", {})
    return {
        "fields": {name: result.fields[name].value if name in result.fields else None for name in wanted},
        "details": {name: _detail(name, result) for name in wanted if name in result.fields},
        "missing": list(result.missing),
        "confidence": round(result.confidence, 4),
        "mrz": None if result.zone is None else _zone(result.zone),
        "strategy": "+".join(result.strategies),
        "tried": list(tried),
        "pages": [_page(page) for page in result.pages],
        "text": "\n".join(line.text for page in result.pages for line in page.lines),
    }


def _detail(name: str, result: Result) -> dict[str, Any]:
    field = result.fields[name]
    detail = {
        "value": field.value,
        "raw": field.raw,
        "confidence": round(field.confidence, 4),
        "page": field.page,
        "box": field.box.as_list(),
        "source": field.source,
    }
    return detail | ({"agrees": result.agrees[name]} if name in result.agrees else {})


def _zone(found: PageZone) -> dict[str, Any]:
    zone = found.zone
    return {
        "format": zone.format,
        "lines": list(zone.lines),
        "valid": zone.valid,
        "confidence": round(_whole_confidence(found), 4),
        "checks": zone.checks,
        "repairs": [asdict(repair) for repair in zone.repairs],
        "misfits": [{"line": line, "column": column} for line, column in zone.misfits],
        "page": found.page,
        "box": found.box.as_list(),
        **zone.fields,
    }


def _page(page: Page) -> dict[str, Any]:
    return {
        "page": page.number,
        "strategy": page.strategy,
        "confidence": round(page.confidence, 4),
        "rotation": round(page.rotation, 1),
        "lines": len(page.lines),
        "remembered": page.remembered,
    }
