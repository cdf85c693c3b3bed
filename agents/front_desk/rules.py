"""The rules: a code of a reservation, a wish for a person, a topic, a farewell; what fits none is unknown."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from aispine.agent import AgentError

CODE: Final = r"\b[A-Za-z]{2,5}-?\d{3,8}\b"
_PERSON: Final = (
    "persona", "humano", "alguien", "agente", "recepcion", "operador", "queja", "reclam",
    "person", "human", "somebody", "someone", "agent", "reception", "operator", "complain",
)  # fmt: skip
_RESERVATION: Final = ("reserva", "reservation", "booking", "booked")
_BYE: Final = ("gracias", "adios", "hasta luego", "nada mas", "thanks", "thank you", "bye", "that is all")
_GREETING: Final = ("hola", "buenas", "buenos dias", "hello", "hi", "good morning", "good evening")
_SHORT: Final = 5
"""Words in a text that is no more than a greeting or a farewell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A frequent question: beginnings of words that tell it, and its answers by language."""

    name: str
    words: tuple[str, ...]
    answers: dict[str, str]

    def answer(self, language: str) -> str:
        return self.answers.get(language) or next(iter(self.answers.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """What a text wants. `phrase` names what is said where no topic answers."""

    intent: str
    topic: Topic | None = None
    code: str | None = None
    phrase: str = ""


def topics(config: dict[str, Any]) -> tuple[Topic, ...]:
    """The topics of `config.topics`: name, words, and answers by language."""
    given = config.get("topics") or []
    try:
        return tuple(
            Topic(name=str(each["name"]), words=tuple(map(plain, each["words"])), answers=dict(each["answer"]))
            for each in given
        )
    except (KeyError, TypeError, ValueError):
        message = "each of `config.topics` needs a `name`, `words` and an `answer` by language"
        raise AgentError(message, code="invalid_input") from None


def understand(text: str, known: tuple[Topic, ...], *, code_pattern: str | None, first: bool) -> Understood:
    """The first rule that fits; a topic is the one of which most words are there."""
    said = plain(text)
    if not said:
        return _said("greeting") if first else _said("bye")
    code = re.search(code_pattern or CODE, text)
    if code:
        return Understood(intent="reservation", code=code[0].upper())
    if _has(said, _PERSON):
        return Understood(intent="person")
    scored = [(sum(_begins(said, word) for word in topic.words), -index) for index, topic in enumerate(known)]
    best = max(scored, default=(0, 0))
    if best[0]:
        return Understood(intent="faq", topic=known[-best[1]])
    if _has(said, _RESERVATION):
        return Understood(intent="faq", phrase="code")
    if len(said.split()) <= _SHORT and _has(said, _BYE):
        return _said("bye")
    if len(said.split()) <= _SHORT and _has(said, _GREETING):
        return _said("greeting")
    return Understood(intent="unknown")


def _said(what: str) -> Understood:
    return Understood(intent=what, phrase=what)


def plain(text: str) -> str:
    """Small letters without accents, single spaces."""
    letters = unicodedata.normalize("NFKD", str(text).lower()).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9-]+", letters))


def _has(said: str, words: tuple[str, ...]) -> bool:
    return any(_begins(said, word) for word in words)


def _begins(said: str, word: str) -> bool:
    """True when a word of the text begins so; two letters have to be all of it."""
    end = r"\b" if len(word) < 3 else ""
    return re.search(rf"\b{re.escape(word)}{end}", said) is not None
