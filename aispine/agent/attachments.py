"""The files that a python agent reads and writes: the tenant's in a worker, those of its samples in its tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aispine.agent.author import AgentError
from aispine.agent.contract import FailureCode
from aispine.errors import AISpineError, NotFound, Unavailable
from aispine.files import FileReference, TenantFiles, file_id_of, media_type

SAMPLES: Final = "samples"


class StoredFiles:
    """The tenant's files, with every error as one that the agent's attempt fails with."""

    def __init__(self, files: TenantFiles) -> None:
        self._files = files

    def info(self, file: str | Mapping[str, Any]) -> dict[str, Any]:
        with _failing():
            return self._files.find(file).reference.as_dict()

    def read(self, file: str | Mapping[str, Any]) -> bytes:
        with _failing():
            return self._files.read(file)

    def write(self, content: bytes, *, name: str, media_type: str | None = None) -> dict[str, Any]:
        with _failing():
            return self._files.put(content, name=name, declared_type=media_type).reference.as_dict()


class FolderFiles:
    """The files beside an agent's samples, by their names; what the agent writes is kept in memory."""

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else Path(folder) / SAMPLES
        self._written: dict[str, tuple[FileReference, bytes]] = {}

    def info(self, file: str | Mapping[str, Any]) -> dict[str, Any]:
        with _failing():
            return self._find(file)[0].as_dict()

    def read(self, file: str | Mapping[str, Any]) -> bytes:
        with _failing():
            return self._find(file)[1]

    def write(self, content: bytes, *, name: str, media_type: str | None = None) -> dict[str, Any]:
        with _failing():
            reference = _reference(f"written/{len(self._written)}", name, content, media_type)
        self._written[reference.file_id] = reference, content
        return reference.as_dict()

    def _find(self, file: str | Mapping[str, Any]) -> tuple[FileReference, bytes]:
        file_id = file_id_of(file)
        if file_id in self._written:
            return self._written[file_id]
        path = None if self._folder is None else self._folder / Path(file_id).name
        if path is None or path.name != file_id or not path.is_file():
            raise NotFound(f"there is no file `{file_id[:100]}` in the agent's `{SAMPLES}`", field="file_id")
        content = path.read_bytes()
        return _reference(file_id, file_id, content, None), content


def _reference(file_id: str, name: str, content: bytes, declared: str | None) -> FileReference:
    kind = media_type.decide(content[: media_type.HEAD], name, declared)
    digest = hashlib.sha256(content).hexdigest()
    return FileReference(file_id=file_id, name=name, media_type=kind, size=len(content), sha256=digest)


@contextmanager
def _failing() -> Iterator[None]:
    """A file that cannot be had is the input's fault, unless it is only away for now."""
    try:
        yield
    except Unavailable as error:
        raise AgentError(error.message, code=FailureCode.UNAVAILABLE) from error
    except AISpineError as error:
        raise AgentError(error.message, code=FailureCode.INVALID_INPUT) from error
