"""The front desk: what a guest wants, by rules that can be read, and the answer where rules have one."""

from typing import Any

from aispine.agent import AgentError, Context, Reply

from .phrases import PHRASES, language_of
from .rules import Topic, topics, understand


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> Reply:
    """With `action: tell` says what was found of a reservation; else what the text wants, and the answer if any."""
    action = config.get("action", "understand")
    if action == "tell":
        return _tell(input)
    if action != "understand":
        raise AgentError("`config.action` must be understand or tell", code="invalid_input")
    text = str(input.get("text") or "").strip()
    language = language_of(text) or _known(input)
    known = topics(config)
    found = understand(text, known, code_pattern=config.get("code_pattern"), first=bool(input.get("first")))
    context.log.info("%s%s", found.intent, f": {found.topic.name}" if found.topic else "")
    output = {
        "language": language,
        "intent": found.intent,
        "topic": found.topic.name if found.topic else None,
        "code": found.code,
        "text": found.topic.answer(language) if found.topic else PHRASES[language].get(found.phrase),
        "over": found.intent == "bye",
        "facts": [topic.answer(language) for topic in known],
    }
    return Reply(output, message=found.intent)


def _known(input: dict[str, Any]) -> str:
    return "en" if str(input.get("language") or "").lower().startswith("en") else "es"


def _tell(input: dict[str, Any]) -> Reply:
    """Dates alone: whoever has a code is not for sure the guest, so no name and no room are told."""
    language, found = _known(input), input.get("reservation") or {}
    row = found.get("reservation")
    if not isinstance(row, dict):
        return Reply({"language": language, "text": PHRASES[language]["no_reservation"], "over": False})
    text = PHRASES[language]["reservation"].format(**{name: row[name] for name in ("code", "check_in", "check_out")})
    return Reply({"language": language, "text": text, "over": False})


__all__ = ["Topic", "execute"]
