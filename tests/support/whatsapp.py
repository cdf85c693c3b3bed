"""The stand-in for WhatsApp that comes with the product, as the tests use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli import standin
from cli.standin import ACCESS_TOKEN, APP_SECRET, NUMBER, Refused, WhatsApp, text_of
from cli.standin.webhooks import signed, text, webhook

__all__ = [
    "ACCESS_TOKEN",
    "APP_SECRET",
    "NUMBER",
    "Refused",
    "WhatsApp",
    "serving",
    "signed",
    "text",
    "text_of",
    "webhook",
]


@contextmanager
def serving() -> Iterator[WhatsApp]:
    """Serves WhatsApp on a port of its own; at the end nothing malformed may have been sent to it."""
    with standin.serving() as service:
        yield service
    assert service.problems == []
