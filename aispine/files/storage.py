"""Where the content of files is kept: in PostgreSQL beside the row, or in S3-compatible storage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final, Protocol

from aispine.errors import Unavailable
from aispine.files.intake import CHUNK
from aispine.settings import Settings
from aispine.store import files as table
from aispine.store.database import Store

POSTGRESQL: Final = "postgresql"
S3: Final = "s3"


class Storage(Protocol):
    """Keeps contents by tenant and file."""

    def put(self, tenant_id: str, file_id: str, content: IO[bytes]) -> None:
        """Keeps the content of a new file."""

    def chunks(self, tenant_id: str, file_id: str) -> Iterator[bytes]:
        """The content, piece by piece. Raises `NotFound` when it is gone."""

    def remove(self, tenant_id: str, file_id: str) -> None:
        """Removes the content; one that is not there is no error."""


def of(kind: str, store: Store, settings: Settings) -> Storage:
    """The storage that a row names. Raises `Unavailable` when this process was not told where it is."""
    if kind == POSTGRESQL:
        return Database(store)
    if settings.files_url is None:
        raise Unavailable("The file is in S3 and AISPINE_FILES_URL is not set", hint="Set it as it was before.")
    from aispine.files import s3  # Not imported where files are kept in the database: boto3 costs a process 30 MB.

    return s3.bucket(settings.files_url)


def kind(settings: Settings) -> str:
    """Where new files go."""
    return POSTGRESQL if settings.files_url is None else S3


class Database:
    """Chunks in a table. A reader holds no connection between two of them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, tenant_id: str, file_id: str, content: IO[bytes]) -> None:
        with self._store.session(tenant_id) as session:
            number = 0
            while chunk := content.read(CHUNK):
                table.add_chunk(session, tenant_id, file_id, number, chunk)
                number += 1

    def chunks(self, tenant_id: str, file_id: str) -> Iterator[bytes]:
        number = 0
        while True:
            with self._store.session(tenant_id) as session:
                chunk = table.chunk(session, tenant_id, file_id, number)
            if chunk is None:
                return
            yield chunk
            number += 1

    def remove(self, tenant_id: str, file_id: str) -> None:
        with self._store.session(tenant_id) as session:
            table.remove_chunks(session, tenant_id, file_id)
