"""A form: the schema of what is asked for, and how far it is filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aispine.form import words
from aispine.form.collect import candidates, find, read
from aispine.form.normalise import Misfit


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What is asked for: `properties` and `required` as in JSON Schema, with titles and aliases besides."""

    schema: Mapping[str, Any]
    language: str = "es"
    country_code: str = ""

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.schema["properties"]
        return found

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.schema.get("required", ()))

    def rules(self, name: str) -> Mapping[str, Any]:
        return self.properties.get(name, {})

    def title(self, name: str) -> str:
        return words.title(name, self.rules(name), self.language)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """How far a form is filled: the valid fields, and what was given and is not valid, with the reason."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    invalid: tuple[Mapping[str, Any], ...] = ()

    def missing(self, form: Form) -> list[str]:
        """Required fields of which nothing was found."""
        wrong = {item["field"] for item in self.invalid}
        return [name for name in form.required if name not in self.fields and name not in wrong]

    def wanted(self, form: Form) -> list[str]:
        """Fields that are still to be asked for: the missing ones and those that are not valid, in their order."""
        open_ = {*self.missing(form), *(item["field"] for item in self.invalid)}
        return [name for name in form.properties if name in open_]

    def complete(self, form: Form) -> bool:
        return not self.wanted(form)

    def output(self, form: Form) -> dict[str, Any]:
        """What Zoe returns."""
        missing = self.missing(form)
        return {
            "complete": not missing and not self.invalid,
            "fields": dict(self.fields),
            "missing": missing,
            "invalid": [dict(item) for item in self.invalid],
            "language": form.language,
        }

    def summary(self, form: Form) -> str:
        """The output in a sentence."""
        wrong = [f"{form.title(item['field'])} {item['reason']}" for item in self.invalid]
        names = [form.title(name) for name in self.missing(form)]
        return words.summary(len(self.fields), names, wrong, form.language)

    def put(self, form: Form, name: str, value: Any) -> Filled:
        """The same with a value for a field, or with the reason why it is not valid."""
        others = tuple(item for item in self.invalid if item["field"] != name)
        rules = form.rules(name)
        try:
            return Filled(fields={**self.fields, name: read(value, rules, form.country_code)}, invalid=others)
        except Misfit as misfit:
            reason = words.reason(str(misfit), rules.get(str(misfit)), form.language)
            wrong = {"field": name, "value": value, "reason": reason}
            return Filled(fields=dict(self.fields), invalid=(*others, wrong))


def fill(form: Form, data: Any, filled: Filled | None = None) -> Filled:
    """Finds the fields by name or alias in data of any depth; what was filled before and is not named stays."""
    found: dict[str, Any] = {}
    for name, value in candidates(data):
        found.setdefault(name, value)
    after = filled or Filled()
    for name, rules in form.properties.items():
        value = find([name, *rules.get("aliases", [])], found)
        if value is not None:
            after = after.put(form, name, value)
    return after
