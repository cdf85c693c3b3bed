"""Zoe: collects the fields of a schema from data or from a person, and writes to people."""

from typing import Any

from aispine.agent import AgentError, Context, Reply
from aispine.form import Form, fill, words

from .schema import CREDIT_APPLICATION

ACTIONS = ("collect", "ask", "send")


def execute(input: Any, config: dict[str, Any], context: Context) -> Any:
    """Sends a message, or returns what was found, what is missing and what is not valid; asks a person if there is one.

    Without a conversation nobody is asked.
    """
    action = config.get("action", "collect")
    if action not in ACTIONS:
        raise AgentError(f"`config.action` must be one of {', '.join(ACTIONS)}", code="invalid_input")
    data = _data(input)
    if action == "send":
        return Reply({"sent": context.conversation.send(data, config)})
    form = _form(config, data)
    filled = fill(form, data)
    context.log.info("%d fields found, %d wanted", len(filled.fields), len(filled.wanted(form)))
    wants = bool(filled.wanted(form)) or action == "ask"
    if wants and (action == "ask" or context.conversation.active):
        return context.conversation.ask(form, filled, {**config, **_said(data)})
    return Reply(filled.output(form), message=filled.summary(form))


def _form(config: dict[str, Any], data: dict[str, Any]) -> Form:
    schema = config.get("schema", CREDIT_APPLICATION)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not properties:
        raise AgentError("`config.schema` must be an object with `properties`", code="invalid_input")
    language = words.language(config, data) if _asked(config, data) else words.detect(data.get("text")) or "es"
    return Form(schema=schema, language=language, country_code=str(config.get("country_code", "")))


def _asked(config: dict[str, Any], data: dict[str, Any]) -> bool:
    return any((config.get("language"), data.get("language"), data.get("idioma"), "text" not in data))


def _data(input: Any) -> dict[str, Any]:
    """The data; of a message over a channel its text alone, so that nobody's display name is taken for an answer."""
    if not isinstance(input, dict):
        return {"text": input}
    found = {name: value for name, value in input.items() if name != "channel"}
    if isinstance(found.get("message"), dict):
        found["text"] = found.pop("message").get("text") or ""
    return found


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """What the flow says to the person in this place, over what the config says."""
    return {name: data[name] for name in ("question", "again", "buttons") if data.get(name)}
