"""Draws the pages of documents, flat and clean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from cli.specimens import zone
from cli.specimens.person import Person

DOTS_PER_MM: Final = 12
_FONTS: Final = Path(__file__).parent / "fonts"
_INK: Final = (28, 30, 44)
_FAINT: Final = (84, 92, 120)
_VALUE_MM: Final = 2.7
_PITCH_MM: Final = 2.54
_ZONE_PITCH_MM: Final = 4.25

Field = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A page in millimetres; `zone` is the format of its machine-readable zone, `zone_top` where its first line is."""

    size: tuple[float, float]
    title: str
    fields: Callable[[Person], list[list[Field]]]
    zone: str = ""
    zone_top: float = 0.0
    portrait: bool = True
    ground: tuple[int, int, int] = (232, 236, 240)


def draw(kind: str, person: Person) -> Image.Image:
    """The page of a kind of document, `DOTS_PER_MM` to the millimetre."""
    layout = _LAYOUTS[kind]
    image = Image.new("RGB", _dots(layout.size), layout.ground)
    pen = ImageDraw.Draw(image)
    _guilloche(pen, image.size)
    pen.text(_dots((5, 3)), layout.title, font=_font("Roboto-Regular.ttf", 3.6), fill=_INK)
    left = 5.0
    if layout.portrait:
        _portrait(pen)
        left = 38.0
    _fields(pen, layout.fields(person), left, (layout.size[0] - left - 1) / 2)
    if layout.zone:
        _zone(pen, zone.compose(layout.zone, person), layout)
    return image


def _guilloche(pen: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    """The fine lines under the print, as documents have them."""
    for offset in range(-size[1], size[0], 26):
        pen.line([(offset, 0), (offset + size[1], size[1])], fill=(214, 222, 232), width=2)


def _portrait(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle([*_dots((5, 11)), *_dots((35, 47))], fill=(200, 206, 214))
    pen.ellipse([*_dots((13, 16)), *_dots((27, 33))], fill=(160, 150, 146))
    pen.pieslice([*_dots((8, 33)), *_dots((32, 62))], 180, 360, fill=(110, 116, 130))


def _fields(pen: ImageDraw.ImageDraw, rows: list[list[Field]], left: float, column: float) -> None:
    for number, row in enumerate(rows):
        for place, (label, value) in enumerate(row):
            x, y = left + place * column, 10.0 + number * 7.6
            pen.text(_dots((x, y)), label, font=_font("Roboto-Regular.ttf", 2.1), fill=_FAINT)
            pen.text(_dots((x, y + 2.7)), value, font=_font("Roboto-Regular.ttf", _VALUE_MM), fill=_INK)


def _zone(pen: ImageDraw.ImageDraw, lines: list[str], layout: Layout) -> None:
    """Characters stand 2.54 mm apart (ICAO 9303-3), each drawn by itself so that the pitch is exact."""
    left = (layout.size[0] - len(lines[0]) * _PITCH_MM) / 2
    pen.rectangle([*_dots((0, layout.zone_top - 3)), *_dots(layout.size)], fill=(246, 247, 248))
    font = _font("OCRB.otf", _PITCH_MM / 0.723)
    for row, line in enumerate(lines):
        for place, char in enumerate(line):
            at = _dots((left + place * _PITCH_MM, layout.zone_top + row * _ZONE_PITCH_MM))
            pen.text(at, char, font=font, fill=(20, 20, 24))


@cache
def _font(name: str, millimetres: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / name, round(millimetres * DOTS_PER_MM))


def _dots(millimetres: tuple[float, float]) -> tuple[int, int]:
    return round(millimetres[0] * DOTS_PER_MM), round(millimetres[1] * DOTS_PER_MM)


def _day(value: date) -> str:
    return value.strftime("%d/%m/%Y")


def _passport(person: Person) -> list[list[Field]]:
    return [
        [("Type / Tipo", "P"), ("Passport No. / No. de pasaporte", person.number)],
        [("Surname / Apellidos", person.surname)],
        [("Given names / Nombres", person.given_names)],
        [("Nationality / Nacionalidad", person.nationality), ("Sex / Sexo", person.sex)],
        [("Date of birth / Fecha de nacimiento", _day(person.born)), ("Personal No.", person.personal_number)],
        [("Date of issue / Expedición", _day(person.issued)), ("Date of expiry / Caducidad", _day(person.expires))],
    ]


def _identity_card(person: Person) -> list[list[Field]]:
    return [
        [("APELLIDOS / SURNAME", person.surname.upper())],
        [("NOMBRES / GIVEN NAMES", person.given_names.upper())],
        [("SEXO / SEX", person.sex), ("NACIONALIDAD", person.nationality)],
        [("NACIMIENTO / BIRTH", _day(person.born)), ("EXPEDICIÓN / ISSUED", _day(person.issued))],
        [("NÚMERO / NUMBER", person.number), ("VENCE / EXPIRES", _day(person.expires))],
    ]


def _residence(person: Person) -> list[list[Field]]:
    return [[("DOMICILIO / ADDRESS", person.address)], [("LUGAR DE NACIMIENTO / PLACE OF BIRTH", "Nowhere, Utopia")]]


def _visa(person: Person) -> list[list[Field]]:
    return [
        [("Surname", person.surname), ("Given names", person.given_names)],
        [("Number of visa", person.number), ("Nationality", person.nationality)],
        [("Valid from", _day(person.issued)), ("Valid until", _day(person.expires))],
        [("Date of birth", _day(person.born)), ("Sex", person.sex)],
    ]


def _licence(person: Person) -> list[list[Field]]:
    return [
        [("1. Apellidos / Surname", person.surname.upper())],
        [("2. Nombres / Given names", person.given_names.upper())],
        [("3. Nacimiento / Birth", _day(person.born)), ("9. Categoría", "B")],
        [("4a. Expedición", _day(person.issued)), ("4b. Vence / Expires", _day(person.expires))],
        [("5. Licencia No. / Licence No.", person.number)],
        [("8. Domicilio / Address", person.address)],
    ]


_CARD: Final = (85.6, 54.0)
_LAYOUTS: Final[dict[str, Layout]] = {
    "td3": Layout(
        size=(125, 88), title="UTOPIA   PASSPORT / PASAPORTE   SPECIMEN", fields=_passport, zone="td3", zone_top=69
    ),
    "td2": Layout(
        size=(105, 74), title="UTOPIA   IDENTITY CARD   SPECIMEN", fields=_identity_card, zone="td2", zone_top=59
    ),
    "td1_front": Layout(size=_CARD, title="UTOPIA   CÉDULA / IDENTITY CARD   SPECIMEN", fields=_identity_card),
    "td1_back": Layout(
        size=_CARD, title="UTOPIA   SPECIMEN", fields=_residence, zone="td1", zone_top=36, portrait=False
    ),
    "mrva": Layout(size=(120, 80), title="UTOPIA   VISA   SPECIMEN", fields=_visa, zone="mrva", zone_top=62),
    "mrvb": Layout(size=(105, 74), title="UTOPIA   VISA   SPECIMEN", fields=_visa, zone="mrvb", zone_top=59),
    "licence": Layout(
        size=_CARD,
        title="UTOPIA   LICENCIA DE CONDUCIR   SPECIMEN",
        fields=_licence,
        ground=(240, 230, 232),
    ),
}
