"""Files that come with messages: fetched from the service, checked, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aispine.channel import kinds
from aispine.channel.adapter import Line, MediaError
from aispine.channel.message import Kind, Media
from aispine.errors import AISpineError
from aispine.files import TenantFiles
from aispine.settings import Settings
from aispine.store.database import Store
from aispine.store.models import ChannelMessageRow

MOST_ATTEMPTS: Final = 6
_FETCHED: Final = frozenset({Kind.IMAGE, Kind.DOCUMENT, Kind.AUDIO, Kind.VIDEO})


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """The reference of the file that came with a message, or the problem for which there is none."""

    file: Mapping[str, Any] | None = None
    problem: Mapping[str, Any] | None = None


def fetch(store: Store, settings: Settings, kind: str, line: Line, row: ChannelMessageRow) -> Arrival:
    """Fetches and keeps the file of a message; one that has none, or that is a sticker, arrives without.

    Raises `MediaError` when it may be had later.
    """
    told = row.body.get("media")
    if told is None or row.body["kind"] not in _FETCHED:
        return Arrival()
    if row.file is not None:
        return Arrival(file=row.file)
    try:
        fetched = kinds.adapter(kind).fetch(line, Media(**told))
        files = TenantFiles(store=store, tenant_id=row.tenant_id, settings=settings)
        # What a picture is, its bytes say: a service may call every one of them the same.
        declared = None if row.body["kind"] == Kind.IMAGE else fetched.media_type
        stored = files.put(
            fetched.content,
            name=fetched.name or f"message-{row.seq}",
            declared_type=declared,
            expires_at=_until(settings),
            sensitive=True,
        )
    except MediaError as error:
        if error.retryable and row.attempts + 1 < MOST_ATTEMPTS:
            raise
        return Arrival(problem={"code": error.code, "message": str(error)})
    except AISpineError as error:
        if error.status >= 500:
            raise
        return Arrival(problem={"code": error.code, "message": error.message})
    return Arrival(file=stored.reference.as_dict())


def _until(settings: Settings) -> datetime | None:
    """When what a person sent goes; None leaves it to what holds for any file."""
    seconds = settings.picture_retention
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds > 0 else None
