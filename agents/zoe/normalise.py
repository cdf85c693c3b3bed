"""Turns what people write into values: numbers with separators, e-mails, phones, yes and no."""

import re
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


_YES: Final = frozenset({"true", "yes", "y", "1", "si", "sí", "s", "verdadero"})
_NO: Final = frozenset({"false", "no", "n", "0", "falso"})


def boolean(value: Any) -> bool:
    """Reads true and false, yes and no, sí and no."""
    word = str(value).strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise Misfit("boolean")


def text(value: Any) -> str:
    """Reads a text and writes single spaces between its words."""
    if isinstance(value, dict | list | bool):
        raise Misfit("text")
    return " ".join(str(value).split())
