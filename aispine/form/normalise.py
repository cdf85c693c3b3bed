"""Turns what people write into values: numbers with separators, e-mails, phones, yes and no."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final


class Misfit(ValueError):
    """The value is not of the kind; the message is the key of the reason in `words.REASONS`."""


def number(value: Any) -> int | float:
    """Reads 3500, "3.500,00", "US$ 3,500.00" and "3 500". A lone separator before three digits groups thousands."""
    if isinstance(value, bool):
        raise Misfit("number")
    if isinstance(value, int | float):
        return value
    text = re.sub(r"[^\d.,+-]", "", str(value))
    if not re.fullmatch(r"[+-]?\d[\d.,]*", text) or re.search(r"[A-Za-z]{4,}", str(value)):
        raise Misfit("number")
    try:
        read = float(_with_decimal_point(text))
    except ValueError:
        raise Misfit("number") from None
    return int(read) if read.is_integer() else read


def _with_decimal_point(text: str) -> str:
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        decimal, group = (",", ".") if comma > point else (".", ",")
        return text.replace(group, "").replace(decimal, ".")
    separator = "," if comma >= 0 else "."
    if text.count(separator) > 1 or re.search(rf"\{separator}\d{{3}}$", text):
        return text.replace(separator, "")
    return text.replace(separator, ".")


def integer(value: Any) -> int:
    """As `number`, without a fraction."""
    read = number(value)
    if read != int(read):
        raise Misfit("integer")
    return int(read)


_EMAIL: Final = re.compile(r"[^@\s,;<>()]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")


def email(value: Any) -> str:
    """Reads an address and writes its domain in lower case."""
    text = str(value).strip().strip("<>")
    if len(text) > 254 or ".." in text or not _EMAIL.fullmatch(text):
        raise Misfit("email")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def phone(value: Any, country_code: str = "") -> str:
    """Reads a phone number and writes it as E.164 where its country is known: +593991234567."""
    text = re.sub(r"[\s().\-/]", "", str(value))
    text = f"+{text[2:]}" if text.startswith("00") else text
    if country_code and not text.startswith("+"):
        text = f"+{country_code.lstrip('+')}{text.lstrip('0')}"
    if not re.fullmatch(r"\+?\d{7,15}", text):
        raise Misfit("phone")
    return text


_YES: Final = frozenset({"true", "yes", "y", "1", "si", "sí", "s", "verdadero", "ok", "vale", "acepto", "accept"})
_NO: Final = frozenset({"false", "no", "n", "0", "falso"})


def boolean(value: Any) -> bool:
    """Reads true and false, yes and no, sí and no, and the words that people say for them."""
    word = str(value).strip(" .!¡").lower()
    if word in _YES | _NO:
        return word in _YES
    raise Misfit("boolean")


def text(value: Any) -> str:
    """Reads a text and writes single spaces between its words."""
    if isinstance(value, dict | list | bool):
        raise Misfit("text")
    return " ".join(str(value).split())


def choice(value: str, choices: Sequence[Any]) -> Any:
    """The one of the choices that was meant, whatever its case and accents; the value itself when it is none."""
    return next((each for each in choices if _letters(str(each)) == _letters(value)), value)


def _letters(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold().strip()


_DATE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


def date(value: Any) -> str:
    """Reads 2026-01-31 and 31/01/2026, and writes the former."""
    match = _DATE.fullmatch(str(value).strip())
    if match is None:
        raise Misfit("date")
    year, month, day = match.group(1, 2, 3) if match[1] else match.group(6, 5, 4)
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise Misfit("date") from None


def file(value: Any) -> dict[str, Any]:
    """Takes a reference to a file."""
    if not isinstance(value, Mapping) or not isinstance(value.get("file_id"), str):
        raise Misfit("file")
    return dict(value)


def items(value: Any) -> list[Any]:
    """Takes a list."""
    if not isinstance(value, list):
        raise Misfit("items")
    return value
