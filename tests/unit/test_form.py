"""Fields out of what people write."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.form import Filled, Form, fill, words
from aispine.form.reply import Said, take

FORM = Form(
    schema={
        "required": ["name", "email", "nights"],
        "properties": {
            "name": {"type": "string", "minLength": 3, "aliases": ["nombre"]},
            "email": {"type": "string", "format": "email", "aliases": ["correo"]},
            "nights": {"type": "integer", "minimum": 1, "aliases": ["noches"]},
            "note": {"type": "string"},
        },
    }
)
FILE = {"file_id": "f1", "media_type": "image/png"}


@pytest.mark.parametrize(
    "text",
    [
        "Nombre: Ana Ruiz\nCorreo: ana@example.com\nNoches: 3",
        "Ana Ruiz\nana@example.com\n3",
        "Ana Ruiz, ana@example.com, 3",
        "ana@example.com\nAna Ruiz\n3",
        "correo: ana@example.com; Ana Ruiz; 3",
    ],
)
def test_an_answer_is_read_by_names_by_kind_or_by_order(text: str) -> None:
    after = take(FORM, Filled(), Said(text=text))
    assert after.fields == {"name": "Ana Ruiz", "email": "ana@example.com", "nights": 3}
    assert after.complete(FORM)


def test_one_field_is_answered_by_the_whole_message() -> None:
    before = Filled(fields={"name": "Ana", "email": "a@b.co"})
    assert take(FORM, before, Said(text="3")).fields["nights"] == 3
    wrong = take(FORM, before, Said(text="muchas"))
    assert (wrong.invalid[0]["field"], wrong.wanted(FORM)) == ("nights", ["nights"])
    assert take(FORM, wrong, Said(text="noches: 2")).complete(FORM)


@pytest.mark.parametrize("said", [Said(), Said(text=" "), Said(text="qué tal"), Said(file=FILE)])
def test_what_answers_nothing_changes_nothing(said: Said) -> None:
    assert take(FORM, Filled(), said) == Filled()


def test_what_was_not_asked_for_again_stays() -> None:
    before = Filled(fields={"name": "Ana Ruiz", "nights": 3})
    after = take(FORM, before, Said(text="ana@example.com"))
    assert after.fields == {"name": "Ana Ruiz", "nights": 3, "email": "ana@example.com"}


def test_files_fill_their_fields_one_after_the_other() -> None:
    sides = {"type": "array", "minItems": 2, "items": {"format": "file"}}
    form = Form(schema={"required": ["a"], "properties": {"a": sides}})
    one = take(form, Filled(), Said(file=FILE))
    assert one.wanted(form) == ["a"]
    two = take(form, one, Said(file={**FILE, "file_id": "f2"}))
    assert [each["file_id"] for each in two.fields["a"]] == ["f1", "f2"]
    assert take(form, one, Said(text="here it is")) == one


def test_a_list_of_files_takes_more_until_it_is_full() -> None:
    pictures = {"type": "array", "minItems": 1, "maxItems": 2, "items": {"format": "file"}}
    form = Form(schema={"required": ["a"], "properties": {"a": pictures, "b": pictures}})
    filled = Filled()
    for number in range(3):
        filled = take(form, filled, Said(file={**FILE, "file_id": f"f{number}"}))
        assert filled.complete(form)
    assert {name: [each["file_id"] for each in files] for name, files in filled.fields.items()} == {"a": ["f0", "f1"]}


@pytest.mark.parametrize(
    ("rules", "written", "read"),
    [
        ({"type": "boolean"}, "Sí.", True),
        ({"type": "boolean"}, "acepto", True),
        ({"type": "boolean"}, "no", False),
        ({"enum": ["Facturación", "Otra"]}, "facturacion", "Facturación"),
        ({"format": "date"}, "31/01/2026", "2026-01-31"),
        ({"format": "date"}, "2026-1-31", "2026-01-31"),
    ],
)
def test_values_are_read_as_people_write_them(rules: dict[str, Any], written: str, read: Any) -> None:
    form = Form(schema={"required": ["x"], "properties": {"x": rules}})
    assert take(form, Filled(), Said(text=written)).fields == {"x": read}


@pytest.mark.parametrize(("rules", "written"), [({"format": "date"}, "31/02/2026"), ({"enum": ["a"]}, "b")])
def test_what_does_not_fit_is_told_with_its_reason(rules: dict[str, Any], written: str) -> None:
    form = Form(schema={"required": ["x"], "properties": {"x": rules}})
    after = fill(form, {"x": written})
    assert after.output(form)["invalid"][0]["value"] == written
    assert words.again([after.invalid[0]["reason"]], "es").startswith("No es válido")


@pytest.mark.parametrize(
    ("text", "language"), [("Hello, I want a room", "en"), ("Hola, quiero una", "es"), ("ok", None)]
)
def test_the_language_is_that_of_the_commonest_words(text: str, language: str | None) -> None:
    assert words.detect(text) == language
