"""What documents call the fields that people ask for, in Spanish and English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

CONCEPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "surname": ("surname", "surnames", "last name", "last names", "family name", "apellido", "apellidos"),
    "given_names": ("given names", "given name", "first name", "first names", "forenames", "name", "nombre",
                    "nombres", "nombre s"),
    "full_name": ("name", "full name", "nombre", "nombre completo", "nombre y apellidos", "nombres y apellidos",
                  "apellidos y nombres", "holder", "titular", "customer", "cliente", "razon social", "bill to", "guest",
                  "huesped", "senor", "senores"),
    "document_number": ("document no", "document number", "passport no", "passport number", "card number", "id number",
                        "licence no", "license no", "licence number", "number of visa", "number", "no", "numero",
                        "documento no", "numero de documento", "no de pasaporte", "pasaporte no", "licencia no",
                        "cedula", "cedula no", "no de cedula", "dni", "nui", "nie", "nif", "num soporte",
                        "identificacion"),
    "personal_number": ("personal no", "personal number", "national id", "numero personal", "nui", "curp"),
    "nationality": ("nationality", "nacionalidad"),
    "birth_date": ("date of birth", "birth date", "birth", "born", "dob", "fecha de nacimiento", "nacimiento",
                   "fecha nac", "f nacimiento"),
    "birth_place": ("place of birth", "lugar de nacimiento", "birthplace"),
    "issue_date": ("date of issue", "issue date", "issued", "issued on", "valid from", "expedicion",
                   "fecha de expedicion",
                   "fecha de emision", "emision", "emitida", "emitido", "valido desde"),
    "expiry_date": ("date of expiry", "expiry date", "expires", "expiry", "expiration date", "valid until", "valid to",
                    "vence", "vencimiento", "fecha de vencimiento", "fecha de caducidad", "caducidad", "caduca",
                    "valido hasta", "valida hasta", "validez"),
    "sex": ("sex", "sexo", "gender", "genero"),
    "address": ("address", "direccion", "domicilio", "residence", "residencia"),
    "email": ("e mail", "email", "mail", "correo", "correo electronico"),
    "phone": ("phone", "telephone", "tel", "mobile", "telefono", "movil", "celular"),
    "total": ("total", "total amount", "amount due", "total due", "total to pay", "total a pagar",
              "importe total", "importe", "amount", "monto", "monto total", "valor total", "balance due"),
    "subtotal": ("subtotal", "sub total", "net amount", "base imponible", "importe neto"),
    "tax": ("tax", "vat", "sales tax", "iva", "igv", "impuesto", "impuestos"),
    "date": ("date", "fecha", "invoice date", "fecha de factura", "fecha factura"),
    "due_date": ("due date", "payment due", "fecha de pago", "vencimiento", "fecha limite"),
    "invoice_number": ("invoice no", "invoice number", "invoice", "factura", "factura no", "no de factura",
                       "numero de factura", "invoice"),
    "tax_id": ("tax id", "vat no", "vat number", "ruc", "nit", "rfc", "cif", "nif", "cuit"),
    "iban": ("iban", "account", "cuenta"),
}  # fmt: skip
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "surname": ("last_name", "family_name", "apellido", "apellidos", "surnames"),
    "given_names": ("given_name", "first_name", "first_names", "forenames", "nombre", "nombres"),
    "full_name": ("name", "fullname", "holder", "nombre_completo", "guest_name", "customer", "customer_name",
                  "titular"),
    "document_number": ("number", "document_no", "document_id", "passport_number", "id_number", "licence_number",
                        "license_number", "numero", "numero_documento", "cedula", "dni"),
    "birth_date": ("date_of_birth", "birthdate", "dob", "born", "fecha_nacimiento", "fecha_de_nacimiento"),
    "expiry_date": ("date_of_expiry", "expires", "expiry", "expiration_date", "valid_until", "fecha_vencimiento",
                    "fecha_caducidad", "expires_on"),
    "issue_date": ("date_of_issue", "issued", "issued_on", "valid_from", "fecha_emision", "fecha_expedicion"),
    "sex": ("gender", "sexo"),
    "nationality": ("nacionalidad",),
    "total": ("amount", "total_amount", "amount_due", "importe", "monto"),
    "invoice_number": ("invoice", "invoice_no", "factura"),
    "personal_number": ("national_id", "optional"),
    "address": ("direccion", "domicilio"),
    "email": ("mail", "correo"),
    "phone": ("telephone", "telefono"),
}  # fmt: skip
_CLOSE: Final = 0.84
_BESIDES: Final = re.compile(r"[(\[][^)\]]*[)\]]|\d+(?:[.,]\d+)?\s?%")
"""What may stand with a label and is no part of it: a rate, or what is in brackets."""
_NUMBERED: Final = re.compile(r"^\(?\d{1,2}[a-d]?[.)]?\s+")


@cache
def plain(text: str) -> str:
    """Small letters and figures without accents, one space between words."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters).split())


def concept(name: str, rules: Mapping[str, Any]) -> str:
    """Which of `CONCEPTS` a property of a schema is, by its `x-concept`, its name or its title; "" when none."""
    asked = rules.get("x-concept")
    if isinstance(asked, str):
        return asked
    words = [plain(name).replace(" ", "_"), plain(str(rules.get("title", ""))).replace(" ", "_")]
    for known in CONCEPTS:
        if any(word in {known, *_ALIASES.get(known, ())} for word in words):
            return known
    return ""


def names(name: str, rules: Mapping[str, Any]) -> tuple[str, ...]:
    """What the field may be called on paper: `x-labels`, its title, its name, and what its concept is called."""
    given = rules.get("x-labels", [])
    own = [*(given if isinstance(given, list) else [given]), rules.get("title", ""), name]
    known = CONCEPTS.get(concept(name, rules), ())
    return tuple(dict.fromkeys(word for word in (*(plain(str(label)) for label in own), *known) if word))


@cache
def match(text: str, labels: tuple[str, ...]) -> float:
    """How well a text is one of the labels, 0 to 1: parts between slashes count, a number before them does not."""
    bare = _BESIDES.sub(" ", text)
    parts = [plain(_NUMBERED.sub("", part.strip())) for part in (*text.split("/"), *bare.split("/"), text, bare)]
    return max((_alike(part, label) for part in parts for label in labels if part), default=0.0)


def _alike(part: str, label: str) -> float:
    if part == label:
        return 1.0
    # "Nacimiento" is one letter away from "vencimiento", and no misprint of it.
    if part in _ALL or min(len(part), len(label)) < 4 or abs(len(part) - len(label)) > 3:
        return 0.0
    ratio = SequenceMatcher(None, part, label, autojunk=False).ratio()
    return ratio if ratio >= _CLOSE else 0.0


_ALL: Final = tuple(sorted({label for labels in CONCEPTS.values() for label in labels}))


def is_label(text: str) -> bool:
    """True when a text is what documents call some field, and so no value of one."""
    return match(text.rstrip(" :."), _ALL) > 0
