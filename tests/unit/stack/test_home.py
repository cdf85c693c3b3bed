from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys

import pytest

from aispine.errors import StackError
from aispine.stack import home


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def loose_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_private_file_is_private_whatever_the_umask(tmp_path, loose_umask):
    path = tmp_path / "stack.json"
    home.write_private(path, "one")
    home.write_private(path, "two")
    assert (path.read_text(), mode(path)) == ("two", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "stack.json"
    home.write_private(path, "one")
    with pytest.raises(UnicodeEncodeError):
        home.write_private(path, "\ud800")
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_home_that_exists_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o750)
    home.prepare(tmp_path)
    assert mode(tmp_path) == 0o750


def test_a_home_that_is_a_file_is_a_clear_error(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(StackError, match="AISPINE_HOME") as error:
        home.prepare(path / "home")
    assert error.value.hint


def test_the_first_encryption_key_is_made_once_and_is_a_fernet_key(tmp_path):
    key = home.encryption_keys(tmp_path)
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert home.encryption_keys(tmp_path) == key
    assert mode(tmp_path / home.KEYS_FILE) == 0o600


def test_several_keys_are_joined_by_commas(tmp_path):
    (tmp_path / home.KEYS_FILE).write_text("new\nold\n")
    assert home.encryption_keys(tmp_path) == "new,old"


def test_a_held_home_names_its_holder(tmp_path):
    with home.lock(tmp_path) as lock:
        lock.describe(url="http://127.0.0.1:1")
        with (
            pytest.raises(StackError, match=rf"already running at http://127.0.0.1:1 \(pid {os.getpid()}\)"),
            home.lock(tmp_path),
        ):
            pass
    with home.lock(tmp_path):
        pass


def test_a_lock_of_a_killed_process_is_no_obstacle(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from aispine.stack import home\n"
        "with home.lock(Path(sys.argv[1])) as lock:\n"
        "    lock.describe(url='http://old'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    with home.lock(tmp_path):
        assert "http://old" in (tmp_path / home.LOCK_FILE).read_text()
