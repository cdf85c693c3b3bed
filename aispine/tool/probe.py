"""What a tool of the older contract says of itself: `GET /health` and `GET /schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aispine.errors import InvalidTool
from aispine.flow.inputs import schema_problem
from aispine.flow.outcome import AgentFailure
from aispine.settings import Settings
from aispine.store.ids import new_id
from aispine.tool.call import fetch
from aispine.tool.contract import Question
from aispine.tool.definition import Tool, ToolRequest

SECONDS: Final = 5.0


def ask(tool: Tool, settings: Settings) -> dict[str, Any]:
    """Its name, description and input_schema, as far as it tells them.

    Raises `InvalidTool` when it does not answer or says that it is not healthy. `/schema` may be missing.
    """
    health = _get(tool, "/health", settings)
    if isinstance(health, AgentFailure):
        raise InvalidTool(f"{tool.endpoint}/health: {health.message}", field="endpoint")
    if not isinstance(health, Mapping) or health.get("status") not in {"healthy", "degraded"}:
        raise InvalidTool(f"{tool.endpoint}/health does not say that the tool is healthy", field="endpoint")
    schema = _get(tool, "/schema", settings)
    told = {**_about(health), "input_schema": None if isinstance(schema, AgentFailure) else input_schema(schema)}
    return {name: value for name, value in told.items() if value is not None}


def _get(tool: Tool, path: str, settings: Settings) -> Any:
    request = ToolRequest(
        tenant_id="",
        execution_id="",
        node_id="",
        input={},
        timeout=SECONDS,
        idempotency_key=new_id(),
    )
    return fetch(tool, request, Question(method="GET", url=tool.endpoint.rstrip("/") + path), settings)


def _about(health: Mapping[str, Any]) -> dict[str, str]:
    metadata = health.get("tool_metadata")
    fields = metadata if isinstance(metadata, Mapping) else {}
    texts = {name: fields.get(name) for name in ("name", "description")}
    return {name: text[:2000] for name, text in texts.items() if isinstance(text, str) and text.strip()}


def input_schema(told: Any) -> dict[str, Any] | None:
    """The JSON Schema in an answer to `/schema`: `input_schema`, or made from the older product's `input` fields."""
    if not isinstance(told, Mapping):
        return None
    given, fields = told.get("input_schema"), told.get("input")
    if fields is None and isinstance(told.get("schema"), Mapping):
        fields = told["schema"].get("input")
    if not isinstance(given, Mapping) and isinstance(fields, Mapping):
        given = _object(fields)
    return dict(given) if isinstance(given, Mapping) and schema_problem(given) is None else None


_TYPES: Final = {"string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "array": "array"}


def _object(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Types and enumerations alone: what else the older fields say, the tool checks itself."""
    known = {name: field for name, field in fields.items() if isinstance(field, Mapping)}
    required = [name for name, field in known.items() if field.get("required") is True]
    properties = {name: _field(field) for name, field in known.items()}
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    kind = field.get("type")
    if kind in _TYPES:
        made["type"] = _TYPES[kind]
    if kind == "enum" and isinstance(field.get("enum"), list):
        made["enum"] = field["enum"]
    if kind == "object" and isinstance(field.get("properties"), Mapping):
        made = _object(field["properties"])
    if kind == "array" and isinstance(field.get("items"), Mapping):
        made["items"] = _field(field["items"])
    if isinstance(field.get("description"), str):
        made["description"] = field["description"][:2000]
    return made
