"""How a call says who calls: the forms of `auth_config`, what is secret in each, and the headers they become."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

MAX_SECRET: Final = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """The members of one form of `auth_config`; those in `secret` are kept encrypted and never shown."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()

    @property
    def members(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


FORMS: Final[Mapping[str, Form]] = {
    "none": Form(),
    "bearer": Form(required=("token",), secret=frozenset({"token"})),
    "header": Form(required=("header", "value"), secret=frozenset({"value"})),
    "basic": Form(required=("username", "password"), secret=frozenset({"password"})),
    "oauth2": Form(
        required=("token_url", "client_id", "client_secret"),
        optional=("scope", "audience", "client_auth"),
        secret=frozenset({"client_secret"}),
    ),
}
_CLIENT_AUTH: Final = ("basic", "body")


def auth_problem(value: Any) -> str | None:
    """What is wrong with an `auth_config`, None when nothing is."""
    if not isinstance(value, Mapping) or value.get("type") not in FORMS:
        return f"must be an object whose `type` is one of {', '.join(FORMS)}"
    form = FORMS[value["type"]]
    unknown = [name for name in value if name not in {"type", *form.members}]
    if unknown:
        return f"of type {value['type']} has no `{unknown[0]}`; it has {', '.join(form.members) or 'nothing more'}"
    missing = [name for name in form.required if value.get(name) is None]
    if missing:
        return f"of type {value['type']} needs `{missing[0]}`"
    return next((problem for name in form.members if (problem := _member(name, value.get(name)))), None)


def split(value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """An `auth_config` as what may be shown and what may not."""
    hidden = FORMS[value["type"]].secret
    shown = {name: member for name, member in value.items() if name not in hidden}
    return shown, {name: value[name] for name in hidden if value.get(name) is not None}


def headers(auth: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    """The headers of every form but `oauth2`, whose token comes from elsewhere."""
    if auth["type"] == "bearer":
        return {"Authorization": f"Bearer {secrets['token']}"}
    if auth["type"] == "header":
        return {auth["header"]: secrets["value"]}
    if auth["type"] == "basic":
        return {"Authorization": basic(auth["username"], secrets["password"])}
    return {}


def basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _member(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > MAX_SECRET or not value.isprintable():
        return f"must have a printable text for `{name}`"
    if name in {"token", "value", "header"} and not (value.isascii() and (name == "value" or " " not in value)):
        return f"must have an ASCII text without spaces for `{name}`"
    if name == "username" and ":" in value:
        return "must have no `:` in `username`"
    if name == "client_auth" and value not in _CLIENT_AUTH:
        return f"must say {' or '.join(_CLIENT_AUTH)} for `client_auth`"
    return _url_problem(value) if name == "token_url" else None


def _url_problem(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        valid = False
    return None if valid else "must have an http or https URL for `token_url`"
