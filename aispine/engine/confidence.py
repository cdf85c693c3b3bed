"""Secrets on their way through a call: filled into what goes out, and out of what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from aispine.agent.call import Called
from aispine.agent.contract import Outcome
from aispine.engine.advance import Held
from aispine.flow import secret
from aispine.flow.model import Node
from aispine.secrets import Opened

Told = TypeVar("Told", bound=Outcome)


def reveal(held: Held, spec: Node, opened: Opened) -> tuple[Held, Node]:
    """The held node and its definition with the secrets in their places, for the call alone."""
    if not opened.values:
        return held, spec
    node = replace(held.node, input=_filled(spec, held.node.input, opened))
    return replace(held, node=node), replace(spec, config=secret.fill(spec.config, opened.values))


def _filled(spec: Node, stored: Any, opened: Opened) -> Any:
    """What the template made is inside of `value` where it is no object."""
    template = spec.input
    if template is None or not template.references.secrets:
        return stored
    if isinstance(template.source, Mapping):
        return template.fill(stored, opened.values)
    return {"value": template.fill(stored["value"], opened.values)}


def conceal(called: Called, opened: Opened) -> Called:
    """What came of the call without the secrets."""
    return Called(outcome=hidden(called.outcome, opened), log=opened.hide(called.log))


def hidden(outcome: Told, opened: Opened) -> Told:
    """An outcome without the secrets."""
    if not opened.values:
        return outcome
    return replace(outcome, **{field.name: opened.hide(getattr(outcome, field.name)) for field in fields(outcome)})
