"""Reading a mapping of the file against its table of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aispine.flow.keys import CACHE_KEYS, DEFAULTS_KEYS, RETRY_KEYS, Key
from aispine.flow.model import RetryPolicy
from aispine.flow.reading import Misfit, Reading, did_you_mean, kind_of
from aispine.flow.tree import Tree
from aispine.flow.values import read_value

OWN: Final = "x-"
"""Keys that start with it are the user's own, a place for YAML anchors; they are ignored."""

Table = Mapping[str, Key]
Elsewhere = Callable[[str], str | None]
"""Says where a key belongs that does not belong here, None for one that belongs nowhere."""


def table(keys: tuple[Key, ...]) -> Table:
    """The keys of a section by name, aliases included."""
    return {name: key for key in keys for name in (key.name, *key.aliases)}


def read_section(
    tree: Tree, keys: Table, reading: Reading, what: str, *, elsewhere: Elsewhere = lambda _: None
) -> dict[str, Any]:
    """The values that the section gives, by the names of the keys; what is wrong goes to the report.

    A null counts as absent. `what` names the section in messages.
    """
    members = present(tree, keys, reading, what, elsewhere=elsewhere)
    values = {}
    for name, member in members.items():
        try:
            values[name] = read_value(member, keys[name], reading)
        except Misfit as error:
            reading.report.add(error.code, f"`{name}`: {error}", error.position or member.position, hint=error.hint)
    _require(tree, keys, members, reading, what)
    return values


def present(
    tree: Tree, keys: Table, reading: Reading, what: str, *, elsewhere: Elsewhere = lambda _: None
) -> dict[str, Tree]:
    """The members that are there, by the names of the keys; unknown keys and doubled aliases go to the report."""
    found: dict[str, Tree] = {}
    for name, member in tree.members.items():
        key = keys.get(name)
        if name.startswith(OWN):
            continue
        if key is None:
            _refuse(tree, name, keys, reading, what, elsewhere)
        elif key.name in found:
            message = f"`{name}` says the same as `{key.name}`, which is there too"
            reading.report.add("duplicate_key", message, tree.keys[name])
        elif member.value is not None:
            found[key.name] = member
    return found


def _refuse(tree: Tree, name: str, keys: Table, reading: Reading, what: str, elsewhere: Elsewhere) -> None:
    if place := elsewhere(name):
        reading.report.add("misplaced_key", f"{what} takes no `{name}`", tree.keys[name], hint=place)
    else:
        hint = did_you_mean(name, keys) or "Keys of your own belong under `metadata`."
        reading.report.add("unknown_key", f"{what} has no key `{name}`", tree.keys[name], hint=hint)


def _require(tree: Tree, keys: Table, members: Mapping[str, Tree], reading: Reading, what: str) -> None:
    for key in dict.fromkeys(keys.values()):
        if key.required and key.name not in members:
            message = f"{what} needs `{key.name}`"
            reading.report.add("missing_key", message, tree.position, hint=f"For example `{key.example}`.")


_RETRY: Final = table(RETRY_KEYS)
_CACHE: Final = table(CACHE_KEYS)
_DEFAULTS: Final = table(DEFAULTS_KEYS)


def read_retry(tree: Tree, reading: Reading) -> RetryPolicy:
    """A retry policy; what the section does not say has its default."""
    return RetryPolicy(**read_section(tree, _RETRY, reading, "a retry policy"))


def read_cache(tree: Tree, reading: Reading) -> float | None:
    """For how many seconds answers are kept."""
    seconds: float | None = read_section(tree, _CACHE, reading, "`cache`").get("ttl")
    return seconds


def read_defaults(tree: Tree, reading: Reading) -> tuple[float | None, RetryPolicy | None]:
    """The flow's default timeout in seconds and retry policy."""
    values = read_section(tree, _DEFAULTS, reading, "`defaults`")
    retry = values.get("retry")
    return values.get("timeout"), read_retry(retry, reading) if retry is not None else None


def is_mapping(tree: Tree, reading: Reading, what: str) -> bool:
    """Reports what is no mapping."""
    if isinstance(tree.value, dict):
        return True
    reading.report.add("invalid_type", f"{what} must be a mapping, not {kind_of(tree.value)}", tree.position)
    return False
