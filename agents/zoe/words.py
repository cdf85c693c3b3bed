"""What Zoe says, in English and Spanish."""

from typing import Any, Final

LANGUAGES: Final = ("en", "es")

REASONS: Final[dict[str, dict[str, str]]] = {
    "number": {"en": "is not a number", "es": "no es un número"},
    "integer": {"en": "is not a whole number", "es": "no es un número entero"},
    "email": {"en": "is not an e-mail address", "es": "no es un correo electrónico"},
    "phone": {"en": "is not a phone number", "es": "no es un número de teléfono"},
    "boolean": {"en": "is neither yes nor no", "es": "no es ni sí ni no"},
    "text": {"en": "is not a text", "es": "no es un texto"},
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


def language(config: dict[str, Any], data: dict[str, Any]) -> str:
    """The language asked for by the config or the data; Spanish when neither asks for one of ours."""
    asked = (config.get("language"), data.get("language"), data.get("idioma"))
    known = (str(word).lower()[:2] for word in asked if word)
    return next((word for word in known if word in LANGUAGES), "es")


def title(name: str, rules: dict[str, Any], lang: str) -> str:
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
