"""Content on its way in: read once, measured and hashed, in memory while it is small and on disk beyond."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from aispine.errors import TooLarge
from aispine.files.media_type import HEAD

IN_MEMORY: Final = 1_000_000
CHUNK: Final = 262_144


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """What was read; `content` stands at its beginning, `size` is in bytes."""

    content: IO[bytes]
    size: int
    sha256: str
    head: bytes


@contextmanager
def read(source: IO[bytes] | bytes, limit: int) -> Iterator[Intake]:
    """Yields what `source` holds, until the context ends. Raises `TooLarge` beyond `limit` bytes."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
        digest, size, head = hashlib.sha256(), 0, b""
        while chunk := stream.read(CHUNK):
            head = head or chunk[:HEAD]
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"The file is larger than the limit of {limit:,} bytes", field="file", hint=_HINT)
            digest.update(chunk)
            copy.write(chunk)
        copy.seek(0)
        yield Intake(content=copy, size=size, sha256=digest.hexdigest(), head=head)


_HINT: Final = "AISPINE_MAX_FILE_BYTES sets the limit."
