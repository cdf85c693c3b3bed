"""What a person's message says about the fields that were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aispine.form.collect import labelled, plain
from aispine.form.filling import Filled, Form, fill
from aispine.form.normalise import Misfit, boolean, email, phone

FILE: Final = "file"
"""The `format` of a field that is a file, or whose items are."""
MOST_FILES: Final = 10
"""In a list whose schema does not say how many there may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A message: its text, the value of the button that was pressed, the reference of the file that came."""

    text: str | None = None
    choice: Any = None
    file: Mapping[str, Any] | None = None


def take(form: Form, filled: Filled, said: Said) -> Filled:
    """The form after a message. One that says nothing about what is asked changes nothing."""
    wanted = filled.wanted(form)
    if said.file is not None:
        return _take_file(form, filled, wanted, said.file)
    texts = [name for name in wanted if not is_file(form.rules(name))]
    if said.choice is not None and len(texts) == 1:
        return filled.put(form, texts[0], said.choice)
    text = (said.text or "").strip()
    return _take_text(form, filled, texts, text) if text and texts else filled


def is_file(rules: Mapping[str, Any]) -> bool:
    """True for a field that a picture or a document fills."""
    return rules.get("format") == FILE or (rules.get("items") or {}).get("format") == FILE


def _take_file(form: Form, filled: Filled, wanted: list[str], file: Mapping[str, Any]) -> Filled:
    name = next((name for name in (*wanted, *form.properties) if _takes(form, filled, wanted, name)), None)
    if name is None:
        return filled
    if form.rules(name).get("type") == "array":
        before = _given(filled, name)
        return filled.put(form, name, [*before, dict(file)])
    return filled.put(form, name, dict(file))


def _takes(form: Form, filled: Filled, wanted: list[str], name: str) -> bool:
    """True for a field of files that is asked for; also for a list of them that is long enough and not yet full."""
    rules = form.rules(name)
    begun = 0 < len(_given(filled, name)) < int(rules.get("maxItems", MOST_FILES))
    return is_file(rules) and (name in wanted or (rules.get("type") == "array" and begun))


def _given(filled: Filled, name: str) -> list[Any]:
    """The files so far; too few of them are not valid yet."""
    found = next((item["value"] for item in filled.invalid if item["field"] == name), filled.fields.get(name))
    return found if isinstance(found, list) else []


def _take_text(form: Form, filled: Filled, wanted: list[str], text: str) -> Filled:
    named = dict(labelled(text))
    after = fill(form, named, filled) if named else filled
    left = [name for name in wanted if name in after.wanted(form) and not _is_named(form, name, named)]
    rest = [line.strip() for line in re.split(r"[\n;]", text) if line.strip() and not dict(labelled(line))]
    if len(wanted) == 1 and not named:
        return after.put(form, wanted[0], text)
    if rest and len(left) == 1 and len(rest) == 1:
        return after.put(form, left[0], rest[0])
    return _by_kind(form, after, left, rest)


def _is_named(form: Form, name: str, named: Mapping[str, Any]) -> bool:
    return any(plain(each) in {plain(key) for key in named} for each in (name, *form.rules(name).get("aliases", ())))


def _by_kind(form: Form, filled: Filled, left: list[str], rest: list[str]) -> Filled:
    """Lines without names: those that can be of one field alone, then the others in the order of the fields."""
    if len(rest) == 1:
        rest = [part.strip() for part in rest[0].split(",") if part.strip()] if len(left) > 1 else rest
    for name, line in list(_recognised(form, left, rest)):
        filled = filled.put(form, name, line)
        left, rest = [each for each in left if each != name], [each for each in rest if each != line]
    if len(rest) != len(left):
        return filled
    for name, line in zip(left, rest, strict=True):
        filled = filled.put(form, name, line)
    return filled


def _recognised(form: Form, left: list[str], rest: list[str]) -> Iterator[tuple[str, str]]:
    for name in left:
        reader = {"email": email, "phone": phone}.get(str(form.rules(name).get("format")))
        fitting = [line for line in rest if reader is not None and _fits(reader, line)]
        if len(fitting) == 1:
            yield name, fitting[0]


def _fits(reader: Any, line: str) -> bool:
    try:
        reader(line)
    except Misfit:
        return False
    return True


def agrees(text: str) -> bool | None:
    """True for a yes, False for a no, None for anything else."""
    try:
        return boolean(text)
    except Misfit:
        return None
