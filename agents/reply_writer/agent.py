"""Reply writer: drafts the reply to a ticket from templates."""

import re
from typing import Any

from aispine.agent import AgentError, Context, Reply

from . import templates


def execute(input: dict[str, Any], config: dict[str, Any], context: Context) -> Reply:
    """Returns the draft, the template that it comes from, and whether the category was known."""
    ticket, triage = input["ticket"], input["triage"]
    language = triage["language"]
    if language not in templates.BODIES:
        raise AgentError(f"there are no templates in {language!r}", code="unknown_language")
    category = triage["category"] if triage["category"] in templates.BODIES[language] else "other"
    reply = _reply(ticket, language, category, triage["priority"], str(config.get("signature", "Support")))
    output = {"reply": reply, "template": f"{language}/{category}", "complete": category != "other"}
    return Reply(output, message=reply)


def _reply(ticket: dict[str, Any], language: str, category: str, priority: str, signature: str) -> str:
    name = str((ticket.get("customer") or {}).get("name", "")).split(" ")[0]
    body = templates.BODIES[language][category].replace("{reference}", _reference(ticket, language))
    due = templates.DUE[language].format(
        priority=templates.PRIORITIES[language].get(priority, priority), hours=templates.HOURS.get(priority, 24)
    )
    greeting = templates.GREETINGS[language].format(name=f" {name}" if name else "")
    closing = templates.CLOSINGS[language].format(signature=signature)
    return f"{greeting}\n\n{body[0].upper()}{body[1:]} {due}\n\n{closing}"


def _reference(ticket: dict[str, Any], language: str) -> str:
    """The invoice that the ticket names, when it names one."""
    text = f"{ticket.get('subject', '')} {ticket.get('body', '')}"
    match = re.search(r"(?:invoice|factura)\s*(?:no\.?|n\.?º|#)?\s*([A-Z]{0,4}-?\d[\w-]*)", text, re.IGNORECASE)
    return templates.REFERENCES[language].format(number=match[1]) if match else ""
