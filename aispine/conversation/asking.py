"""Questions to a person: what is written, and how far they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine.form import Filled, Form, words
from aispine.form.reply import is_file
from aispine.store import outbox
from aispine.store.models import ContactRow, QuestionRow

MAX_TURNS: Final = 5
WAIT: Final = 86_400.0
"""Seconds that a person is waited for where nobody says how long."""
_MOST_BUTTONS: Final = 3
_LONGEST_BUTTON: Final = 20


def form_of(row: QuestionRow) -> Form:
    return Form(**row.form)


def filled_of(row: QuestionRow) -> Filled:
    return Filled(fields=row.filled["fields"], invalid=tuple(row.filled["invalid"]))


def plain(value: Form | Filled) -> dict[str, Any]:
    """As it is stored."""
    return asdict(value)


def send(session: Session, contact: ContactRow, row: QuestionRow, *, first: bool, understood: bool = True) -> None:
    """Writes the question to the person; once for each turn of each round."""
    form, filled = form_of(row), filled_of(row)
    message = _message(form, filled, row, _opening(row, form, filled, first=first, understood=understood))
    key = f"ask:{row.question_id}:{row.round}:{row.turns}"
    outbox.put(session, contact, message, key=key, execution_id=row.execution_id, path=row.path)


def _opening(row: QuestionRow, form: Form, filled: Filled, *, first: bool, understood: bool) -> str:
    """What is said before the fields: why it is asked again, or nothing."""
    if first or (understood and not filled.invalid):
        return ""
    wrong = [f"{form.title(item['field'])} {item['reason']}" for item in filled.invalid]
    return str(row.options.get("again") or words.again(wrong, form.language))


def _message(form: Form, filled: Filled, row: QuestionRow, opening: str) -> dict[str, Any]:
    wanted = filled.wanted(form) or list(form.properties)[:1]
    said = row.options.get("question") if row.turns == 0 or len(wanted) == 1 else None
    asked = said or _own_question(form, wanted)
    message: dict[str, Any] = {"text": "\n".join(part for part in (opening, str(asked)) if part)}
    choices = _choices(form, wanted[0]) if len(wanted) == 1 else []
    if choices:
        told = {"question_id": row.question_id, "round": row.round}
        message["buttons"] = [{"title": title, "value": {**told, "value": value}} for title, value in choices]
    return message


def _own_question(form: Form, wanted: list[str]) -> str:
    if len(wanted) == 1 and "question" in form.rules(wanted[0]):
        asked: Any = form.rules(wanted[0])["question"]
        return str(asked.get(form.language, wanted[0]) if isinstance(asked, Mapping) else asked)
    return words.question([form.title(name) for name in wanted], form.language, file=is_file(form.rules(wanted[0])))


def _choices(form: Form, name: str) -> list[tuple[str, Any]]:
    """The answers to a field that has few, as buttons."""
    rules = form.rules(name)
    if rules.get("type") == "boolean":
        return list(zip(words.YES_NO[form.language], (True, False), strict=True))
    choices = [str(each) for each in rules.get("enum", ())]
    fits = 0 < len(choices) <= _MOST_BUTTONS and all(len(each) <= _LONGEST_BUTTON for each in choices)
    return [(each, each) for each in choices] if fits else []
