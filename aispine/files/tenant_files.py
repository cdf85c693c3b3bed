"""The files of one tenant: put, found, read, deleted; and what expired is swept away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import IO, Any, Final

from aispine import logs
from aispine.errors import InvalidRequest, NotFound, Unavailable
from aispine.files import intake, media_type, storage
from aispine.files.intake import Intake
from aispine.files.reference import FileReference, file_id_of
from aispine.settings import Settings
from aispine.store import files as table
from aispine.store.database import Store
from aispine.store.ids import is_id, new_id
from aispine.store.models import FileRow

UNFINISHED: Final = timedelta(hours=1)
"""How long the row of a file is kept whose content never came."""
LONGEST_NAME: Final = 255

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """A file with when it came and when it goes; None where it is kept. A `sensitive` one is not for everybody."""

    reference: FileReference
    sensitive: bool
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantFiles:
    """The files of one tenant, and of no other whatever the login."""

    store: Store
    tenant_id: str
    settings: Settings

    def put(
        self,
        content: IO[bytes] | bytes,
        *,
        name: str = "",
        declared_type: str | None = None,
        expires_at: datetime | None = None,
        sensitive: bool = False,
    ) -> StoredFile:
        """Keeps a content of at most `max_file_bytes`; `file_retention` says for how long where nobody does.

        Raises `TooLarge`, `Unprocessable` when it is not of the type that it is said to be, and `InvalidRequest`
        when it is empty or has expired by now.
        """
        with intake.read(content, self.settings.max_file_bytes) as read:
            if not read.size:
                raise InvalidRequest("The file is empty", field="file")
            row = self._row(read, clean_name(name), declared_type, self._until(expires_at), sensitive)
            self._keep(row, read)
        _log.info("file.put", file=row.file_id, size=row.size, media_type=row.media_type)
        return _stored(row)

    def _row(
        self, read: Intake, name: str, declared_type: str | None, expires_at: datetime | None, sensitive: bool
    ) -> FileRow:
        return FileRow(
            file_id=new_id(),
            tenant_id=self.tenant_id,
            name=name,
            media_type=media_type.decide(read.head, name, declared_type),
            size=read.size,
            sha256=read.sha256,
            storage=storage.kind(self.settings),
            sensitive=sensitive,
            created_at=datetime.now(UTC),
            expires_at=expires_at,
        )

    def _until(self, expires_at: datetime | None) -> datetime | None:
        now = datetime.now(UTC)
        if expires_at is not None and expires_at <= now:
            raise InvalidRequest("`expires_at` has passed", field="expires_at")
        if expires_at is None and self.settings.file_retention > 0:
            return now + timedelta(seconds=self.settings.file_retention)
        return expires_at

    def _keep(self, row: FileRow, read: Intake) -> None:
        """The row comes first and is hidden until the content is there, so that no content is ever without a row."""
        with self.store.session(self.tenant_id) as session:
            table.add(session, row, until=datetime.now(UTC) + UNFINISHED)
        storage.of(row.storage, self.store, self.settings).put(self.tenant_id, row.file_id, read.content)
        with self.store.session(self.tenant_id) as session:
            table.complete(session, self.tenant_id, row.file_id, row.expires_at)

    def find(self, file: str | Mapping[str, Any]) -> StoredFile:
        """The file of that id or reference. Raises `NotFound`, also when it expired or is another tenant's."""
        return _stored(self._find(file_id_of(file)))

    def _find(self, file_id: str) -> FileRow:
        row = None
        if is_id(file_id):
            with self.store.session(self.tenant_id) as session:
                row = table.find(session, self.tenant_id, file_id)
        if row is None:
            raise NotFound(f"there is no file `{file_id[:100]}`", field="file_id", hint="It may have expired.")
        return row

    def chunks(self, file: str | Mapping[str, Any]) -> Iterator[bytes]:
        """The content, piece by piece; the file is looked for at once. Raises `NotFound`."""
        row = self._find(file_id_of(file))
        return storage.of(row.storage, self.store, self.settings).chunks(self.tenant_id, row.file_id)

    def read(self, file: str | Mapping[str, Any]) -> bytes:
        """The whole content. Raises `NotFound`, and `Unavailable` when it is not what was put."""
        found = self.find(file).reference
        content = b"".join(self.chunks(found.file_id))
        if len(content) != found.size:
            raise Unavailable(f"The file `{found.file_id}` was deleted while it was read")
        return content

    def page(self, *, after: str | None, limit: int) -> Sequence[StoredFile]:
        """The files that are there, in the order in which they came."""
        with self.store.session(self.tenant_id) as session:
            return [_stored(row) for row in table.rows(session, self.tenant_id, after=after, limit=limit)]

    def delete(self, file: str | Mapping[str, Any]) -> None:
        """Deletes a file: it is gone for everybody at once, whenever the storage lets its content go.

        Raises `NotFound`.
        """
        row = self._find(file_id_of(file))
        with self.store.session(self.tenant_id) as session:
            table.expire(session, self.tenant_id, row.file_id)
        self._remove_now(row)

    def remove_expired(self, file_ids: Sequence[str]) -> None:
        """Removes those of the files that expired; what the storage does not let go is left to the sweep."""
        with self.store.session(self.tenant_id) as session:
            rows = table.expired_among(session, self.tenant_id, file_ids)
        for row in rows:
            self._remove_now(row)

    def _remove_now(self, row: FileRow) -> None:
        try:
            _remove(self.store, self.settings, row)
        except Unavailable as error:
            _log.warning("file.left_to_sweep", file=row.file_id, error=error.message)


def sweep(store: Store, settings: Settings, *, limit: int) -> int:
    """Removes up to `limit` files that expired; returns how many. Needs the engine's login."""
    with store.session(None) as session:
        rows = table.expired(session, limit)
    for row in rows:
        _remove(store, settings, row)
    return len(rows)


def _remove(store: Store, settings: Settings, row: FileRow) -> None:
    storage.of(row.storage, store, settings).remove(row.tenant_id, row.file_id)
    with store.session(row.tenant_id) as session:
        table.remove(session, row.tenant_id, row.file_id)


def _stored(row: FileRow) -> StoredFile:
    reference = FileReference(
        file_id=row.file_id, name=row.name, media_type=row.media_type, size=row.size, sha256=row.sha256
    )
    return StoredFile(
        reference=reference, sensitive=row.sensitive, created_at=row.created_at, expires_at=row.expires_at
    )


def clean_name(name: str) -> str:
    """The last part of a path, without control characters; `file` where nothing is left."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(character for character in last if character.isprintable()).strip()
    return kept[:LONGEST_NAME] or "file"
