"""Zoe: collects the fields of a schema from the data she is given, normalises and validates them."""

from typing import Any

from aispine.agent import AgentError, Context, Reply

from . import words
from .collect import candidates, find, read
from .normalise import Misfit
from .schema import CREDIT_APPLICATION


def execute(input: Any, config: dict[str, Any], context: Context) -> Reply:
    """Returns what was found, what is missing and what is not valid, and says so in a sentence."""
    schema = config.get("schema", CREDIT_APPLICATION)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not properties:
        raise AgentError("`config.schema` must be an object with `properties`", code="invalid_input")
    data = input if isinstance(input, dict) else {"text": input}
    lang = words.language(config, data)
    fields, missing, invalid = _collect(data, schema, str(config.get("country_code", "")), lang)
    context.log.info("%d fields found, %d missing, %d invalid", len(fields), len(missing), len(invalid))
    output = {
        "complete": not missing and not invalid,
        "fields": fields,
        "missing": missing,
        "invalid": invalid,
        "language": lang,
    }
    names = [words.title(name, properties.get(name, {}), lang) for name in missing]
    wrong = [f"{words.title(item['field'], properties[item['field']], lang)} {item['reason']}" for item in invalid]
    return Reply(output, message=words.summary(len(fields), names, wrong, lang))


def _collect(
    data: dict[str, Any], schema: dict[str, Any], country_code: str, lang: str
) -> tuple[dict[str, Any], list[str], list[dict[str, Any]]]:
    found: dict[str, Any] = {}
    for name, value in candidates(data):
        found.setdefault(name, value)
    fields: dict[str, Any] = {}
    invalid = []
    for name, rules in schema["properties"].items():
        value = find([name, *rules.get("aliases", [])], found)
        if value is None:
            continue
        try:
            fields[name] = read(value, rules, country_code)
        except Misfit as misfit:
            rule = str(misfit)
            invalid.append({"field": name, "value": value, "reason": words.reason(rule, rules.get(rule), lang)})
    wrong = {item["field"] for item in invalid}
    return fields, [name for name in schema.get("required", []) if name not in fields and name not in wrong], invalid
