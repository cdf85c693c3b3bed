from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from aispine.errors import StackError
from aispine.settings import Settings
from aispine.stack import embedded, postgres, programs
from aispine.stack.account import unprivileged
from tests.integration.stack.support import alive, eventually, processes_of, usable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


@contextmanager
def servers(home: Path):
    started = embedded.start(Settings(home=home))
    try:
        yield started
    finally:
        started.stop()


def query(database_url: str, statement: str):
    connection = psycopg2.connect(database_url.replace("+psycopg2", ""))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def listeners(pid: int) -> list[str]:
    """The TCP addresses that a process listens on."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    sockets = {match[1] for link in links if (match := re.match(r"socket:\[(\d+)\]", str(link.readlink())))}
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in sockets]


def test_both_servers_start_durable_private_and_stop(home):
    with servers(home) as started:
        names = ["fsync", "synchronous_commit", "full_page_writes", "server_encoding"]
        found = [query(started.database_url, f"SHOW {name}")[0][0] for name in names]
        assert found == ["on", "on", "on", "UTF8"]
        with redis.Redis.from_url(started.redis_url) as client:
            wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
            assert {name: client.config_get(name)[name] for name in wanted} == wanted
        stranger = redis.Redis.from_url(re.sub(r":[^:@]*@", "", started.redis_url))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        redis_process, postgres_process = started.processes
        assert listeners(redis_process.pid) == ["0100007F"]
        assert listeners(postgres_process.pid) == []
        pids = [process.pid for process in started.processes]
    assert not any(map(alive, pids))


def test_what_was_stored_is_there_at_the_next_start(home):
    with servers(home) as started:
        query(started.database_url, "CREATE TABLE kept AS SELECT 'ñ' AS word")
        with redis.Redis.from_url(started.redis_url) as client:
            client.set("kept", 1)
    with servers(home) as started:
        assert query(started.database_url, "SELECT word FROM kept") == [("ñ",)]
        with redis.Redis.from_url(started.redis_url) as client:
            assert client.get("kept") == b"1"


def test_killed_servers_start_again(home):
    with servers(home) as started:
        for process in started.processes:
            os.kill(process.pid, signal.SIGKILL)
        with servers(home) as again:
            assert usable(again.database_url, again.redis_url)


def test_any_home_path_works(folder):
    home = folder / ("long-" + "x" * 120) / "with 'quotes', \"spaces\" and ñ" / "home"
    with servers(home) as started:
        assert usable(started.database_url, started.redis_url)
    socket = postgres.prepare(home).socket
    assert not socket.is_relative_to(folder)
    socket.rmdir()


def test_a_socket_folder_that_others_can_enter_is_refused(folder):
    place = folder / "place"
    place.mkdir(mode=0o755)
    (place / "socket").mkdir(mode=0o755)
    with pytest.raises(StackError, match="not a private folder"):
        postgres.prepare(place)


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(home):
    with servers(home):
        pass
    stranger = subprocess.Popen(["sleep", "100"])
    data = home / "postgres"
    for path in (data / "postmaster.pid", home / "socket" / ".s.PGSQL.5432.lock"):
        path.write_text(f"{stranger.pid}\n{data}\n1\n5432\n\n\n\nready\n")
    (home / "redis" / "redis.pid").write_text(f"{stranger.pid}\n")
    try:
        with servers(home) as started:
            assert usable(started.database_url, started.redis_url)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_servers_left_by_a_killed_start_are_ended_even_without_the_ledger(home):
    with servers(home) as left:
        (home / "processes.json").unlink()
        with servers(home) as started:
            assert not any(alive(process.pid) and not process.ended() for process in left.processes)
            assert usable(started.database_url, started.redis_url)


def test_the_servers_end_with_a_killed_parent(home):
    code = (
        "import json, os, signal, sys; from pathlib import Path; from aispine.settings import Settings\n"
        "from aispine.stack import embedded\n"
        "started = embedded.start(Settings(home=Path(sys.argv[1])))\n"
        "print(json.dumps([process.pid for process in started.processes]), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    eventually(lambda: not any(map(alive, json.loads(done.stdout))))


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(home):
    with servers(home):
        pass
    (home / "postgres" / "PG_VERSION").write_text("9.1\n")
    with pytest.raises(StackError, match=r"PostgreSQL does not start: .*9\.1"):
        embedded.start(Settings(home=home))
    assert processes_of(home) == []


@as_root
def test_root_keeps_its_cluster_outside_a_home_that_others_cannot_enter(folder, monkeypatch):
    monkeypatch.setattr(postgres, "SHARED_PLACE", folder / "var" / "aispine")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with servers(closed / "home") as started:
        assert usable(started.database_url, started.redis_url)
        place = Path((closed / "home" / postgres.POINTER).read_text().strip())
        assert place.parent == folder / "var" / "aispine"
        assert (place / "postgres").stat().st_uid == unprivileged().uid
    with servers(closed / "home") as started:
        assert usable(started.database_url, started.redis_url)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_a_home_made_anew_gets_an_empty_cluster(folder, monkeypatch):
    monkeypatch.setattr(postgres, "SHARED_PLACE", folder / "var")
    folder.chmod(0o755)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    first = postgres.prepare(closed)
    (closed / postgres.POINTER).unlink()
    assert postgres.prepare(closed).data != first.data


@as_root
def test_a_cluster_that_is_gone_is_a_clear_error(folder):
    (folder / postgres.POINTER).write_text(f"{folder}/gone\n")
    with pytest.raises(StackError, match="gone"):
        postgres.prepare(folder)


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_once(folder, monkeypatch):
    wheel = programs.postgres_bin().parents[1]
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for name in (wheel.name, f"{wheel.name}.libs"):
        (closed / name).symlink_to(wheel.with_name(name))
    monkeypatch.syspath_prepend(str(closed))
    account = unprivileged()
    binaries = programs.postgres_bin_for(account, folder)
    assert binaries.is_relative_to(folder)
    assert not binaries.is_relative_to(closed)
    assert account.may("-x", binaries / "initdb")
    assert programs.postgres_bin_for(account, folder) == binaries
    with servers(folder / "home") as started:
        assert usable(started.database_url, started.redis_url)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_a_normal_user_needs_none_of_that(folder):
    account = unprivileged()
    own = folder / "own"
    own.mkdir()
    account.own(own)
    read, write = os.pipe()
    child = os.fork()  # No new interpreter: the tests' own may be in a folder that the user cannot enter.
    if child == 0:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
        with servers(own / "home") as started:
            os.write(write, str(usable(started.database_url, started.redis_url)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        assert answer.read() == "True"
    assert os.waitpid(child, 0)[1] == 0
    assert (own / "home" / "postgres").stat().st_uid == account.uid
    assert not (own / "home" / postgres.POINTER).exists()
