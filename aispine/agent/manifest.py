"""`agent.yaml` and registrations: read, checked key by key, and every problem told at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from aispine.agent.contract import RATE_LIMITS
from aispine.agent.definition import DEFAULT_ENTRY, KINDS, POOLS, AgentVersion, Kind
from aispine.agent.llm import recipe
from aispine.agent.schema import schema_problem
from aispine.errors import InvalidAgent

FILE: Final = "agent.yaml"
MAX_BYTES: Final = 256_000
MAX_TIMEOUT: Final = 7 * 86400.0
MAX_CONCURRENCY: Final = 10_000
Problem = dict[str, Any]


def read(folder: Path) -> AgentVersion:
    """Reads the `agent.yaml` of a folder. Raises `InvalidAgent` with every problem, each with its line."""
    path = folder / FILE
    values, lines, problems = _parse(path)
    kind: Kind = "llm" if values.get("kind") == "llm" else "python"
    problems += check(values, kind=kind)
    if kind == "python" and not problems and not entry_file(folder, values.get("entry", DEFAULT_ENTRY)).is_file():
        problems.append({"field": "entry", "message": f"there is no file {values.get('entry', DEFAULT_ENTRY)!r}"})
    if problems:
        raise _invalid([{**problem, "file": str(path), "line": lines.get(problem["field"], 1)} for problem in problems])
    return build(values, kind=kind, folder=str(folder.absolute()))


def entry_file(folder: Path, entry: str) -> Path:
    """The file of an entry such as `agent:execute`."""
    return folder.joinpath(*entry.split(":", maxsplit=1)[0].split(".")).with_suffix(".py")


def registration(values: Mapping[str, Any], *, credential: str | None = None) -> AgentVersion:
    """Reads the registration of an http agent. Raises `InvalidAgent` with every problem."""
    return definition(values, kind="http", credential=credential)


def definition(values: Mapping[str, Any], *, kind: Kind, credential: str | None = None) -> AgentVersion:
    """Reads a definition that comes without a folder. Raises `InvalidAgent` with every problem."""
    problems = check(values, kind=kind)
    if problems:
        raise _invalid(problems)
    return build(values, kind=kind, credential=credential)


def build(
    values: Mapping[str, Any], *, kind: Kind, folder: str | None = None, credential: str | None = None
) -> AgentVersion:
    """The value of a definition that was found valid."""
    known = {name: value for name, value in values.items() if name in KEYS and name != "kind" and value is not None}
    known["capabilities"] = tuple(known.get("capabilities", ()))
    if kind != "python":
        known["pool"] = "io"
    if kind == "llm":
        known["llm"] = {name: known.pop(name) for name in LLM_KEYS if name in known}
    return AgentVersion(**{"name": values["agent_id"], **known}, kind=kind, folder=folder, credential=credential)


def as_definition(agent: AgentVersion) -> dict[str, Any]:
    """The definition as JSON: what the store keeps and the API shows; `build` reads it again."""
    values = {**asdict(agent), **(agent.llm or {})}
    told = (name for name, key in KEYS.items() if agent.kind in key.kinds and name in values)
    known = {name: _plain(values[name]) for name in told if values[name] not in (None, (), {})}
    return known if agent.kind == "llm" else {name: value for name, value in known.items() if name != "kind"}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def check(values: Mapping[str, Any], *, kind: Kind) -> list[Problem]:
    """Lists what is wrong with a definition; empty when nothing is."""
    allowed = [name for name, key in KEYS.items() if kind in key.kinds]
    problems = [_unknown(str(name), allowed) for name in values if name not in allowed]
    for name in allowed:
        message = KEYS[name].problem(values.get(name))
        if message is not None:
            problems.append({"field": name, "message": message})
    if kind == "llm" and not problems and (message := recipe.together_problem(values)) is not None:
        problems.append({"field": "budget", "message": message})
    return problems


def _unknown(name: str, allowed: list[str]) -> Problem:
    close = difflib.get_close_matches(name, allowed, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Known keys: {', '.join(allowed)}."
    return {"field": name, "message": "is not a known key", "hint": hint}


def _invalid(problems: list[Problem]) -> InvalidAgent:
    told = [{**problem, "message": f"`{problem['field']}` {problem['message']}"} for problem in problems]
    rest = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    first = told[0]
    return InvalidAgent(f"{first['message']}{rest}", hint=first.get("hint"), field=first["field"], errors=told)


class Key:
    """One key of a definition: who has it, whether it must be there, and what is wrong with a value."""

    def __init__(
        self,
        problem: Callable[[Any], str | None],
        doc: str,
        *,
        required: bool = False,
        kinds: tuple[Kind, ...] = KINDS,
    ) -> None:
        self._problem = problem
        self.doc = doc
        self.required = required
        self.kinds = kinds

    def problem(self, value: Any) -> str | None:
        if value is None:
            return "is required" if self.required else None
        return self._problem(value)


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip() or len(value) > 2000:
        return "must be a text of 1 to 2000 characters"
    return "must not contain NUL characters" if "\0" in value else None


_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_ENTRY: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def _identifier(value: Any) -> str | None:
    fits = isinstance(value, str) and _ID.fullmatch(value)
    return None if fits else f"must be letters, digits, `_` and `-`, not starting with a digit; it is {value!r}"


def _version(value: Any) -> str | None:
    if isinstance(value, str) and len(value) <= 100 and _VERSION.fullmatch(value):
        return None
    return f"must be a semantic version in quotes or of three parts, such as 1.4.0; it is {value!r}"


def _capabilities(value: Any) -> str | None:
    if isinstance(value, list) and len(value) <= 100 and all(_text(item) is None for item in value):
        return None
    return "must be a list of texts"


def _pool(value: Any) -> str | None:
    return None if value in POOLS else f"must be one of {', '.join(POOLS)}; it is {value!r}"


def _timeout(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MAX_TIMEOUT:
        return None
    return f"must be a number of seconds above 0 and up to {MAX_TIMEOUT:.0f}; it is {value!r}"


def _rate_limit(value: Any) -> str | None:
    if not isinstance(value, Mapping) or not set(value) <= set(RATE_LIMITS):
        return f"must be an object with {' and '.join(RATE_LIMITS)}"
    counts = (isinstance(count, int) and not isinstance(count, bool) and count > 0 for count in value.values())
    return None if all(counts) else "must hold whole numbers above 0"


def _concurrency(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_CONCURRENCY:
        return None
    return f"must be a whole number from 1 to {MAX_CONCURRENCY:,}; it is {value!r}"


def _kind(value: Any) -> str | None:
    return None if value in {"python", "llm"} else f"must be `python` or `llm`; it is {value!r}"


def _entry(value: Any) -> str | None:
    fits = isinstance(value, str) and _ENTRY.fullmatch(value)
    return None if fits else f"must be `module:function`, such as {DEFAULT_ENTRY}; it is {value!r}"


def _endpoint(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > 2000 or any(ord(character) <= 32 for character in value):
        return "must be a URL such as https://agents.example.com/eddie"
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        return f"must be an http or https URL; it is {value!r}"
    if "@" in parts.netloc:
        return "must not carry a user or password; give the key as `api_key`"
    return (
        "must not have a query or fragment: /health and /execute are appended" if "?" in value or "#" in value else None
    )


KEYS: Final[Mapping[str, Key]] = {
    "kind": Key(_kind, "`python` (when left out) or `llm`.", kinds=("python", "llm")),
    "agent_id": Key(_identifier, "What flows call it by.", required=True),
    "version": Key(_version, "Its semantic version.", required=True),
    "name": Key(_text, "A name for people; the id when left out."),
    "description": Key(_text, "What it does."),
    "capabilities": Key(_capabilities, "What it can do, as a list of words to search by."),
    "pool": Key(_pool, "`quick` (under 5 ms), `cpu` (a process) or `io` (a thread).", kinds=("python",)),
    "timeout": Key(_timeout, "Seconds an attempt may take, when the node says nothing."),
    "input_schema": Key(schema_problem, "JSON Schema of its input."),
    "output_schema": Key(schema_problem, "JSON Schema of its output."),
    "rate_limit": Key(_rate_limit, "`requests_per_minute` and `requests_per_hour` that it takes."),
    "max_concurrency": Key(_concurrency, "How many calls it takes at once; any number when left out."),
    "entry": Key(_entry, f"`module:function` inside the folder; `{DEFAULT_ENTRY}` when left out.", kinds=("python",)),
    "endpoint": Key(_endpoint, "The URL under which /health and /execute answer.", required=True, kinds=("http",)),
    "models": Key(recipe.models_problem, "The models, the first asked first.", required=True, kinds=("llm",)),
    "system": Key(recipe.template_problem, "What the model is told of its task.", kinds=("llm",)),
    "prompt": Key(recipe.template_problem, "What it is asked; the input when left out.", kinds=("llm",)),
    "tools": Key(recipe.tools_problem, "The ids of the tools that it may use.", kinds=("llm",)),
    "max_steps": Key(recipe.steps_problem, "How many turns it may take.", kinds=("llm",)),
    "budget": Key(recipe.budget_problem, "`max_tokens` and `max_cost_usd` of one node.", kinds=("llm",)),
}
LLM_KEYS: Final = tuple(name for name, key in KEYS.items() if key.kinds == ("llm",))


def _parse(path: Path) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    """The values, the line of each key, and the keys that were given twice."""
    content = _text_of(path)
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        values = loader.construct_document(node) if isinstance(node, yaml.MappingNode) else None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InvalidAgent(f"{path} is not valid YAML: {_where(error)}") from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        raise InvalidAgent(f"{path} must hold keys and values", hint="`aispine agent create NAME` writes one.")
    lines: dict[str, int] = {}
    problems = []
    for key, _ in node.value:
        if key.value in lines:
            problems.append({"field": key.value, "message": "is given twice"})
        lines[key.value] = key.start_mark.line + 1
    return values, lines, problems


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InvalidAgent(f"{path.parent} has no {FILE}", hint="`aispine agent create NAME` makes a folder.") from None
    except OSError as error:
        raise InvalidAgent(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise InvalidAgent(f"{path} is larger than {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidAgent(f"{path} is not UTF-8 text") from None


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or type(error).__name__
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)
