"""Lists of hosts."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


def _entries(description: str) -> fields.List[str]:
    entry = fields.String(validate=validate.Length(1, 253))
    return fields.List(entry, metadata={"description": description})


class HostsChange(Schema):
    allow = _entries("The only hosts that may be called, as `AISPINE_ALLOWED_HOSTS` writes them; empty, all may.")
    deny = _entries("Hosts that may not be called; they win over `allow`.")


class Hosts(HostsChange):
    """The lists of a tenant."""
