"""What is said about a form, in English and Spanish."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

LANGUAGES: Final = ("en", "es")

REASONS: Final[dict[str, dict[str, str]]] = {
    "number": {"en": "is not a number", "es": "no es un número"},
    "integer": {"en": "is not a whole number", "es": "no es un número entero"},
    "email": {"en": "is not an e-mail address", "es": "no es un correo electrónico"},
    "phone": {"en": "is not a phone number", "es": "no es un número de teléfono"},
    "boolean": {"en": "is neither yes nor no", "es": "no es ni sí ni no"},
    "text": {"en": "is not a text", "es": "no es un texto"},
    "date": {"en": "is not a date such as 2026-01-31", "es": "no es una fecha como 31/01/2026"},
    "file": {"en": "is not a picture or document", "es": "no es una foto ni un documento"},
    "items": {"en": "is not a list", "es": "no es una lista"},
    "minItems": {"en": "are fewer than {limit}", "es": "son menos de {limit}"},
    "const": {"en": "is not {limit}", "es": "no es {limit}"},
    "minimum": {"en": "is less than {limit}", "es": "es menor que {limit}"},
    "maximum": {"en": "is more than {limit}", "es": "es mayor que {limit}"},
    "minLength": {"en": "is shorter than {limit} characters", "es": "tiene menos de {limit} caracteres"},
    "maxLength": {"en": "is longer than {limit} characters", "es": "tiene más de {limit} caracteres"},
    "pattern": {"en": "does not have the expected form", "es": "no tiene la forma esperada"},
    "enum": {"en": "is none of: {limit}", "es": "no es ninguno de: {limit}"},
}

_COMPLETE: Final = {
    "en": "All {count} fields are there and valid.",
    "es": "Los {count} campos están completos y son válidos.",
}
_MISSING: Final = {"en": "Missing: {names}.", "es": "Falta: {names}."}
_INVALID: Final = {"en": "Not valid: {names}.", "es": "No es válido: {names}."}


def language(config: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The language asked for by the config or the data; Spanish when neither asks for one of ours."""
    asked = (config.get("language"), data.get("language"), data.get("idioma"))
    known = (str(word).lower()[:2] for word in asked if word)
    return next((word for word in known if word in LANGUAGES), "es")


def title(name: str, rules: Mapping[str, Any], lang: str) -> str:
    """What people call a field."""
    given = rules.get("title", name.replace("_", " "))
    return str(given.get(lang, name) if isinstance(given, dict) else given)


def reason(key: str, limit: Any, lang: str) -> str:
    """Why a value is not valid."""
    shown = ", ".join(map(str, limit)) if isinstance(limit, list) else limit
    return REASONS[key][lang].format(limit=shown)


def summary(count: int, missing: list[str], invalid: list[str], lang: str) -> str:
    """One sentence about all fields, or one about each kind of problem."""
    if not missing and not invalid:
        return _COMPLETE[lang].format(count=count)
    parts = [_MISSING[lang].format(names=", ".join(missing))] if missing else []
    parts += [_INVALID[lang].format(names="; ".join(invalid))] if invalid else []
    return " ".join(parts)


_ASK_ONE: Final = {"en": "Please tell me: {name}", "es": "Por favor, indíqueme: {name}"}
_ASK_FILE: Final = {"en": "Please send: {name}", "es": "Por favor, envíe: {name}"}
_ASK_MANY: Final = {
    "en": "Please tell me, one per line, such as `name: value`:",
    "es": "Por favor, indíqueme, uno por línea, como `nombre: valor`:",
}
_NOT_UNDERSTOOD: Final = {"en": "I did not understand that.", "es": "No he entendido su mensaje."}


def question(form_titles: list[str], lang: str, *, file: bool = False) -> str:
    """Asks for fields by their titles."""
    if len(form_titles) == 1:
        return (_ASK_FILE if file else _ASK_ONE)[lang].format(name=form_titles[0])
    return "\n".join([_ASK_MANY[lang], *(f"- {name}" for name in form_titles)])


def again(wrong: list[str], lang: str) -> str:
    """Says what was wrong with an answer, or that none was found in it."""
    return _INVALID[lang].format(names="; ".join(wrong)) if wrong else _NOT_UNDERSTOOD[lang]


YES_NO: Final = {"en": ("Yes", "No"), "es": ("Sí", "No")}
_COMMON: Final[Mapping[str, str]] = {
    "en": "the i is are my you have hello hi please want need for and room would like thanks good",
    "es": "el la los de que y mi hola quiero necesito por favor para una un con gracias buenas soy",
}


def detect(text: str | None) -> str | None:
    """The language of a text by its commonest words; None when they do not tell."""
    found = re.findall(r"[a-záéíóúñü]+", (text or "").lower())
    counts = {lang: sum(word in common.split() for word in found) for lang, common in _COMMON.items()}
    best = max(counts, key=lambda lang: counts[lang])
    return best if list(counts.values()).count(counts[best]) == 1 else None
