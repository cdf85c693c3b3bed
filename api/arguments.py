"""Reading bodies and queries by their schemas; what does not fit is refused naming the field."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

import marshmallow
from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy

from aispine.errors import AISpineError, InvalidRequest, Unprocessable
from api import body

UNKNOWN: Final = marshmallow.Schema.error_messages.get("unknown", "Unknown field.")


class Parser(FlaskParser):
    """Reads JSON with `api.body`, refuses unknown fields everywhere, and raises errors of `aispine.errors`."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": RAISE, "query": RAISE, "path": RAISE}  # noqa: RUF012

    def load_json(self, _req: Request, _schema: Schema) -> Any:
        return body.read_optional_object()

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """As webargs does; a parameter that is no list must not come twice."""
        for name, values in req.args.lists():
            field = schema.fields.get(name)
            if len(values) > 1 and field is not None and not isinstance(field, marshmallow.fields.List):
                raise InvalidRequest(f"`{name}` is there twice in the query", field=name)
        return MultiDictProxy(req.args, schema)

    def handle_error(
        self,
        error: ValidationError,
        req: Request,  # noqa: ARG002
        schema: Schema,
        *,
        error_status_code: int | None,  # noqa: ARG002
        error_headers: Mapping[str, str] | None,  # noqa: ARG002
    ) -> NoReturn:
        raise _invalid(error, schema) from error


def _invalid(error: ValidationError, schema: Schema) -> AISpineError:
    (location, messages), *_ = dict(error.messages_dict).items()
    # In a query a list is a parameter that comes several times; which of them is wrong is in the message.
    depth = 1 if location == "query" else None
    found = [_entry(path[:depth], message, schema) for path, message in _flat(messages)]
    kind = Unprocessable if location == "json" else InvalidRequest
    return kind(found[0]["message"], field=found[0]["field"], hint=found[0].get("hint"), errors=found)


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _flat(inner, (*path, str(name)))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, str(messages)


def _entry(path: tuple[str, ...], message: str, schema: Schema) -> dict[str, str]:
    # Marshmallow tells a mapping's bad key or value one level below its name.
    named = path[:-1] if len(path) > 2 and path[-1] in {"key", "value"} else path
    field = ".".join(name for name in named if name != "_schema")[:200]
    if message != UNKNOWN:
        return {"field": field, "message": f"`{field}`: {message}" if field else message}
    near = difflib.get_close_matches(field, list(schema.fields), n=1)
    entry = {"field": field, "message": f"There is no field `{field}`"}
    return {**entry, "hint": f"Did you mean `{near[0]}`?"} if near else entry
