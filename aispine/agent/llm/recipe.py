"""What `agent.yaml` says of an llm agent: its keys checked, and the value that they make."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from aispine.errors import ExpressionError
from aispine.flow import secret
from aispine.flow.expression import Template
from aispine.model.chat import LIMIT_FIELDS, STRUCTURED, Model, Prices

MOST_MODELS: Final = 8
MOST_STEPS: Final = 50
MOST_TOOLS: Final = 32
DEFAULT_STEPS: Final = 8
ROOTS: Final = frozenset({"input"})
"""What a prompt may name: the agent knows nothing of the flow around it but what that gives it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One model of the list, with what a call of it needs. `api_key` is `${secrets.NAME}`; `timeout` in seconds."""

    model: Model
    api_key: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What all attempts of one node may spend together; None where nothing limits it."""

    max_tokens: int | None = None
    max_cost_usd: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How an llm agent works. `prompt` is None where the input itself is what the model is asked."""

    choices: tuple[Choice, ...]
    system: Template | None = None
    prompt: Template | None = None
    tools: tuple[str, ...] = ()
    max_steps: int = DEFAULT_STEPS
    budget: Budget = field(default_factory=Budget)

    @property
    def secrets(self) -> frozenset[str]:
        """The secrets that its models need."""
        return frozenset(name for choice in self.choices for name in secret.names(choice.api_key))


def of(llm: Mapping[str, Any]) -> Recipe:
    """The recipe that valid keys make."""
    return _made(json.dumps(llm, sort_keys=True))


@lru_cache(maxsize=256)
def _made(text: str) -> Recipe:
    values = json.loads(text)
    return Recipe(
        choices=tuple(map(_choice, values["models"])),
        system=_template(values.get("system")),
        prompt=_template(values.get("prompt")),
        tools=tuple(values.get("tools") or ()),
        max_steps=values.get("max_steps", DEFAULT_STEPS),
        budget=Budget(**(values.get("budget") or {})),
    )


def _choice(values: Mapping[str, Any]) -> Choice:
    given = {name: values[name] for name in ("structured", "limit_field", "stream") if name in values}
    prices = Prices(**values["prices"]) if values.get("prices") else None
    params = values.get("params") or {}
    model = Model(base_url=values["base_url"], model=values["model"], prices=prices, params=params, **given)
    return Choice(model=model, api_key=values.get("api_key"), timeout=values.get("timeout"))


def _template(text: str | None) -> Template | None:
    return None if text is None else Template.parse(text)


# What is wrong with each key

Check = Callable[[Any], str | None]


def models_problem(value: Any) -> str | None:
    """What is wrong with `models`, None when nothing is."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_MODELS:
        return f"must be a list of 1 to {MOST_MODELS} models"
    for place, entry in enumerate(value):
        problem = _members(entry, MODEL_KEYS, ("base_url", "model"))
        if problem is not None:
            return f"has a model (number {place + 1}) that {problem}"
    return None


def template_problem(value: Any) -> str | None:
    """What is wrong with `system` or `prompt`."""
    if not isinstance(value, str) or not value.strip() or len(value) > 100_000:
        return "must be a text of up to 100,000 characters"
    try:
        roots = Template.parse(value).references.roots
    except ExpressionError as error:
        return f"cannot be read: {error.message}"
    return None if roots <= ROOTS else f"may name `input` alone, not {', '.join(sorted(roots - ROOTS))}"


def tools_problem(value: Any) -> str | None:
    """What is wrong with `tools`."""
    fits = isinstance(value, list) and all(isinstance(name, str) and name for name in value)
    fits = fits and len(set(value)) == len(value) <= MOST_TOOLS
    return None if fits else f"must be a list of up to {MOST_TOOLS} ids of tools, each once"


def steps_problem(value: Any) -> str | None:
    """What is wrong with `max_steps`."""
    return None if _is_whole(value, MOST_STEPS) else f"must be a whole number from 1 to {MOST_STEPS}"


def budget_problem(value: Any) -> str | None:
    """What is wrong with `budget`."""
    return _members(value, {"max_tokens": _tokens, "max_cost_usd": _money}, ())


def together_problem(values: Mapping[str, Any]) -> str | None:
    """What is wrong with keys that are good by themselves: a budget of money needs prices."""
    if (values.get("budget") or {}).get("max_cost_usd") is None:
        return None
    free = next((model["model"] for model in values.get("models") or () if not model.get("prices")), None)
    return f"has `max_cost_usd`, and the model `{free}` has no `prices`" if free else None


def _members(value: Any, known: Mapping[str, Check], required: tuple[str, ...]) -> str | None:
    if not isinstance(value, Mapping):
        return f"must be an object with {', '.join(known)}"
    unknown = next((str(name) for name in value if name not in known), None)
    if unknown is not None:
        return f"has no key `{unknown}`; there are {', '.join(known)}"
    missing = next((name for name in required if value.get(name) is None), None)
    if missing is not None:
        return f"needs `{missing}`"
    for name, check in known.items():
        problem = check(value[name]) if value.get(name) is not None else None
        if problem is not None:
            return f"has a `{name}` that {problem}"
    return None


def _url(value: Any) -> str | None:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        valid = valid and not parts.query and not parts.fragment
    except (ValueError, AttributeError, TypeError):
        valid = False
    return None if valid else "is no http or https URL such as https://api.openai.com/v1"


def _text(value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()
    return None if fits else "is no text of up to 200 characters"


def _api_key(value: Any) -> str | None:
    fits = isinstance(value, str) and secret.names(value) and value.startswith("${") and value.endswith("}")
    return None if fits else "is no `${secrets.NAME}`; keep the key with `aispine secret set NAME`"


def _prices(value: Any) -> str | None:
    return _members(value, {"input": _money, "output": _money, "cached": _money}, ("input", "output"))


def _params(value: Any) -> str | None:
    ours = {"model", "messages", "tools", "response_format", "stream", "stream_options"}
    if not isinstance(value, Mapping):
        return "is no object"
    return f"must not have {', '.join(sorted(ours & set(value)))}" if ours & set(value) else None


def _money(value: Any) -> str | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    return None if fits else "is no number of US dollars"


def _tokens(value: Any) -> str | None:
    return None if _is_whole(value, 10**12) else "is no whole number above 0"


def _seconds(value: Any) -> str | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 3600
    return None if fits else "is no number of seconds up to 3600"


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "is neither true nor false"


def _one_of(known: tuple[str, ...]) -> Check:
    return lambda value: None if value in known else f"is none of {', '.join(known)}"


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


MODEL_KEYS: Final[Mapping[str, Check]] = {
    "base_url": _url,
    "model": _text,
    "api_key": _api_key,
    "prices": _prices,
    "params": _params,
    "structured": _one_of(STRUCTURED),
    "limit_field": _one_of(LIMIT_FIELDS),
    "stream": _boolean,
    "timeout": _seconds,
}
"""The keys of one model."""
