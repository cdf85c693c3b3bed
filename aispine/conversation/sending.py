"""Sending what is due to a person, and to whoever is written to in their place."""

from __future__ import annotations

from aispine.channel.sending import send_due
from aispine.conversation import notices
from aispine.conversation.reading import Reader


def send(reader: Reader, contact_id: str) -> None:
    """Sends what is due to a contact, unless somebody else does."""
    others = send_due(reader.store, contact_id, reader.settings)
    notices.to_send(reader.celery, others)
