"""Samples of an agent: an input with what is expected of it, in `samples/*.yaml` of its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from aispine.agent.contract import AgentAccepted, AgentFailure, FailureCode, Outcome
from aispine.errors import InvalidAgent
from aispine.flow.jsonvalue import normal

FOLDER: Final = "samples"
KEYS: Final = frozenset({"name", "input", "config", "expect", "model", "tools"})
LINE: Final = frozenset({"text", "tool_calls", "refusal", "finish", "usage", "status", "error", "headers", "break_off"})
"""What a line of a played model may say; see `aispine.model.standin.Line`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """`expect` holds `output` (what it names must be there, the rest is free) or `code` (it fails with that code).

    Of an llm agent `model` is what its models say, turn by turn, and `tools` what each of its tools answers.
    """

    name: str
    input: Any
    config: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    model: tuple[Mapping[str, Any], ...] = ()
    tools: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def misses(self, outcome: Outcome) -> list[str]:
        """Says in what the outcome differs from what is expected; empty when in nothing."""
        wanted = self.expect.get("code")
        if isinstance(outcome, AgentFailure):
            return [] if outcome.code == wanted else [f"failed with {outcome.code}: {outcome.message}"]
        if isinstance(outcome, AgentAccepted):
            return ["the agent accepted instead of answering"]
        if wanted is not None:
            return [f"was expected to fail with {wanted}, but succeeded"]
        return list(_differences(self.expect.get("output", {}), outcome.output, "output"))


def read_samples(folder: Path) -> list[Sample]:
    """The samples of an agent's folder, by file name. Raises `InvalidAgent` naming the file that is wrong."""
    return read_files(folder / FOLDER)


def read_files(folder: Path) -> list[Sample]:
    """As `read_samples`, of the folder that holds the samples themselves."""
    return [_read(path) for path in sorted(folder.glob("*.yaml"))]


def _read(path: Path) -> Sample:
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
        values = normal(values)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, OSError) as error:
        raise InvalidAgent(f"{path} cannot be read: {error}") from error
    problem = _problem(values)
    if problem is not None:
        raise InvalidAgent(f"{path}: {problem}")
    return Sample(
        name=values.get("name", path.stem),
        input=values["input"],
        config=values.get("config", {}),
        expect=values.get("expect", {}),
        model=tuple(values.get("model", ())),
        tools=values.get("tools", {}),
    )


def _problem(values: Any) -> str | None:
    if not isinstance(values, Mapping) or "input" not in values:
        return "a sample holds `name`, `input`, `config` and `expect`; `input` is required"
    unknown = sorted(set(values) - KEYS)
    if unknown:
        return f"`{unknown[0]}` is not a known key; a sample holds {', '.join(sorted(KEYS))}"
    if not all(isinstance(values.get(name, {}), Mapping) for name in ("config", "expect")):
        return "`config` and `expect` must be objects"
    return _played_problem(values) or _expectation_problem(values.get("expect", {}))


def _played_problem(values: Mapping[str, Any]) -> str | None:
    lines, tools = values.get("model", []), values.get("tools", {})
    if not isinstance(lines, list) or not all(isinstance(line, Mapping) for line in lines):
        return "`model` must be a list of what the model says"
    unknown = sorted(name for line in lines for name in line if name not in LINE)
    if unknown:
        return f"`model` has no key `{unknown[0]}`; a line has {', '.join(sorted(LINE))}"
    if not isinstance(tools, Mapping) or not all(isinstance(answers, list) for answers in tools.values()):
        return "`tools` must be an object with a list of answers for each tool"
    return None


def _expectation_problem(expect: Mapping[str, Any]) -> str | None:
    if not set(expect) <= {"output", "code"}:
        return "`expect` holds `output` or `code`"
    known = "code" not in expect or expect["code"] in set(FailureCode)
    return None if known else f"`expect.code` must be one of {', '.join(FailureCode)}"


def _differences(wanted: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name, value in wanted.items():
            if name in found:
                yield from _differences(value, found[name], f"{place}.{name}")
            else:
                yield f"{place}.{name} is missing"
    elif wanted != found:
        yield f"{place} is {found!r}, expected {wanted!r}"
