"""Word to the workers that there is something to read or to send; whatever is lost is found by the tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import Select
from sqlalchemy.orm import Session

from aispine import logs
from aispine.engine import broker
from aispine.store import channel_messages, channels, outbox
from aispine.store.database import Store

BATCH: Final = 200
OVERDUE: Final = 2.0
"""Seconds after which the tick takes what came in for forgotten."""
PUNCTUAL: Final = 0.5
"""The same for what goes out, which may have been put off until now."""
AGAIN: Final = 30.0
"""Seconds until the tick asks again for the same contact."""

_log = logs.get(__name__)


def to_read(celery: Celery, contacts: Iterable[str]) -> None:
    """Asks a worker to read what came in from or about each contact."""
    _send(celery, broker.READ, contacts)


def to_send(celery: Celery, contacts: Iterable[str]) -> None:
    """Asks a worker to send what is due to each contact."""
    _send(celery, broker.SEND, contacts)


def remind(celery: Celery, store: Store) -> None:
    """Asks again for what is due and nobody does. Raises `StoreUnavailable`."""
    with store.session(None) as session:
        unread = _remind(session, channels.READING, channel_messages.due_contacts(OVERDUE))
        unsent = _remind(session, channels.SENDING, outbox.due_contacts(PUNCTUAL))
    to_read(celery, unread)
    to_send(celery, unsent)


def _remind(session: Session, what: str, due: Select[Any]) -> Sequence[str]:
    return channels.remind(session, what, due, seconds=AGAIN, limit=BATCH)


def _send(celery: Celery, task: str, contacts: Iterable[str]) -> None:
    try:
        for contact_id in contacts:
            celery.send_task(task, args=(contact_id,), queue="io", ignore_result=True, shadow=task)
    except OperationalError as error:
        _log.warning("conversation.not_told", task=task, error=str(error))
