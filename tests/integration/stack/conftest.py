from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack.support import processes_of


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can enter, as pytest's own are not; no process of it may outlive the test."""
    path = Path(tempfile.mkdtemp(prefix="aispine-test-"))
    path.chmod(0o755)
    yield path
    left = processes_of(path)
    shutil.rmtree(path)
    assert left == []


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "home"
