"""Engines with one safeguard taken out each: a campaign that does not notice is worth nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from aispine.engine import attempts, decide, recover
from aispine.engine.facts import Finished
from aispine.store import statements


def install(name: str | None) -> None:
    """Takes the named safeguard out of this process."""
    if name:
        MUTANTS[name]()


def _no_recover() -> None:
    """The tick looks after nothing."""

    def recover_nothing(_tick: recover.Tick) -> int:
        return 0

    setattr(recover.Tick, "recover", recover_nothing)  # noqa: B010 - mypy would not have it assigned


def _no_fence() -> None:
    """What a lost attempt brings late passes for the result of the attempt that runs now."""
    fenced = attempts.finish

    def finish(ledger: Any, fact: Finished, terms: Any) -> None:
        fenced(ledger, replace(fact, attempt=ledger.node(fact.path).attempt), terms)

    decide._RULES[Finished] = finish  # noqa: SLF001 - the mutation


def _no_compare_and_set() -> None:
    """A claim takes the node whatever has become of it."""
    statement = statements.CLAIM
    sql = statement.sql.replace("AND path = ANY($2) AND status = 'queued'", "AND path = ANY($2)")
    if sql == statement.sql:
        raise AssertionError("the claim is written in another way now")
    statements.CLAIM = replace(statement, sql=sql)  # type: ignore[misc] # the mutation


MUTANTS: Final[dict[str, Callable[[], None]]] = {
    "no-recover": _no_recover,
    "no-fence": _no_fence,
    "no-compare-and-set": _no_compare_and_set,
}
