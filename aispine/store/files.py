"""The tables of files and of the contents that are kept in the database.

Every statement names the tenant: the engine's login sees them all, and what an agent asks for must be its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from aispine.store.models import FileChunkRow, FileRow

_ALIVE: Final = (FileRow.complete, or_(FileRow.expires_at.is_(None), FileRow.expires_at > func.clock_timestamp()))


def _is(tenant_id: str, file_id: str) -> tuple[ColumnElement[bool], ...]:
    return FileRow.tenant_id == tenant_id, FileRow.file_id == file_id


def add(session: Session, row: FileRow, *, until: datetime) -> None:
    """Adds a file whose content is to come, and that is swept away at `until` when it does not."""
    names = ("file_id", "tenant_id", "name", "media_type", "size", "sha256", "storage", "sensitive", "created_at")
    session.execute(insert(FileRow).values({name: getattr(row, name) for name in names} | {"expires_at": until}))


def complete(session: Session, tenant_id: str, file_id: str, expires_at: datetime | None) -> None:
    """Lets the file be seen: its content is there."""
    where = _is(tenant_id, file_id)
    session.execute(update(FileRow).where(*where).values(complete=True, expires_at=expires_at))


def find(session: Session, tenant_id: str, file_id: str) -> FileRow | None:
    """The file, unless it is hidden, expired or another tenant's."""
    return session.scalars(select(FileRow).where(*_is(tenant_id, file_id), *_ALIVE)).one_or_none()


def rows(session: Session, tenant_id: str, *, after: str | None, limit: int) -> Sequence[FileRow]:
    """The tenant's files, the oldest first."""
    statement = select(FileRow).where(FileRow.tenant_id == tenant_id, *_ALIVE).order_by(FileRow.file_id).limit(limit)
    if after is not None:
        statement = statement.where(FileRow.file_id > after)
    return session.scalars(statement).all()


def expire(session: Session, tenant_id: str, file_id: str) -> None:
    """Hides the file at once; the next sweep finds it."""
    session.execute(update(FileRow).where(*_is(tenant_id, file_id)).values(expires_at=func.clock_timestamp()))


def expired(session: Session, limit: int) -> Sequence[FileRow]:
    """Files of any tenant that nobody sees any more, those longest over first."""
    over = FileRow.expires_at <= func.clock_timestamp()
    return session.scalars(select(FileRow).where(over).order_by(FileRow.expires_at).limit(limit)).all()


def expired_among(session: Session, tenant_id: str, file_ids: Sequence[str]) -> Sequence[FileRow]:
    """Those of the files that nobody sees any more."""
    over = FileRow.expires_at <= func.clock_timestamp()
    return session.scalars(
        select(FileRow).where(FileRow.tenant_id == tenant_id, FileRow.file_id.in_(file_ids), over)
    ).all()


def remove(session: Session, tenant_id: str, file_id: str) -> None:
    """Deletes the row, and what is left of its content in the database."""
    session.execute(delete(FileRow).where(*_is(tenant_id, file_id)))


def add_chunk(session: Session, tenant_id: str, file_id: str, number: int, content: bytes) -> None:
    """Adds a piece of the content."""
    values = {"file_id": file_id, "number": number, "tenant_id": tenant_id, "content": content}
    session.execute(insert(FileChunkRow).values(**values))


def chunk(session: Session, tenant_id: str, file_id: str, number: int) -> bytes | None:
    """A piece of the content; None after the last."""
    where = (FileChunkRow.tenant_id == tenant_id, FileChunkRow.file_id == file_id, FileChunkRow.number == number)
    return session.scalars(select(FileChunkRow.content).where(*where)).one_or_none()


def remove_chunks(session: Session, tenant_id: str, file_id: str) -> None:
    """Deletes the content."""
    where = (FileChunkRow.tenant_id == tenant_id, FileChunkRow.file_id == file_id)
    session.execute(delete(FileChunkRow).where(*where))
