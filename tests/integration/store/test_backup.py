"""A backup holds everything, and what was open in it goes on where it is restored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from aispine.agent import registry
from aispine.errors import Conflict, InvalidRequest, StackError
from aispine.stack import backup
from aispine.stack.backup import Target
from aispine.store import api_keys, migrate, vacant
from aispine.store.database import Store
from aispine.store.ids import new_id
from tests.integration.engine.crew import begin, done, take
from tests.support.environment import ROOT, Servers
from tests.support.flows import Flows
from tests.support.operations import operations
from tests.support.shapes import echo, flow

KEYS = "a-key-of-a-test"
KEY = api_keys.new_key()


@dataclass(frozen=True, kw_only=True)
class Place:
    """A database in use: the stores of its two logins."""

    target: Target
    web: Store
    engine: Store

    @property
    def flows(self) -> Flows:
        return Flows(self.web, migrate.DEFAULT_TENANT)


def opened(owner_url: str) -> Place:
    made = migrate.upgrade(owner_url, KEYS, KEY)
    assert made.api_key == KEY
    target = Target(owner_url=owner_url, engine_url=made.engine_database_url, keys=KEYS)
    return Place(target=target, web=Store(made.web_database_url), engine=Store(made.engine_database_url))


@pytest.fixture
def place(no_workers: None, empty_database: str) -> Iterator[Place]:
    found = opened(empty_database)
    with found.engine.session(None) as session:
        registry.sync_folders(session, [ROOT / "agents"])
    yield found
    found.web.dispose()
    found.engine.dispose()


def bare(owner_url: str) -> Target:
    return Target(owner_url=owner_url, engine_url=migrate.engine_url(owner_url, KEYS), keys=KEYS)


def content(owner_url: str) -> dict[str, list[str]]:
    """Every row of every table as its owner sees it."""
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        found = {name: connection.scalars(text(f"SELECT t::text FROM {name} t")).all() for name in names}
    engine.dispose()
    return {name: sorted(rows) for name, rows in found.items()}


def test_what_waits_in_a_backup_goes_on_where_it_is_restored(
    place: Place, another_database: str, tmp_path: Path
) -> None:
    ask = {"id": "ask", "type": "approval"}
    flow_id = place.flows.deploy(flow("asking", ask, echo("b", "ask"), schedule={"every": "1h"}))
    waiting = place.flows.start(flow_id, announce=False)
    begin(place.engine, waiting)
    queued = place.flows.start(place.flows.deploy(flow("plain", echo("a"))), announce=False)
    begin(place.engine, queued)
    file = tmp_path / "monday.backup"
    assert backup.backup(place.target, file) == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]

    backup.restore(bare(another_database), file)
    restored = content(another_database)
    assert restored == content(place.target.owner_url)
    assert all(restored[table] for table in ("executions", "events", "schedules", "api_keys", "flow_versions"))
    there = opened(another_database)
    operations(there.web, migrate.DEFAULT_TENANT).answer(waiting, "ask", {"approved": True}, by="somebody")
    done(there.engine, take(there.engine, waiting, "b"))
    done(there.engine, take(there.engine, queued, "a"))
    assert [there.flows.see(each).status for each in (waiting, queued)] == ["completed", "completed"]
    assert [place.flows.see(each).status for each in (waiting, queued)] == ["waiting", "running"]
    # What counts goes on counting: a new version has a number of its own.
    there.flows.deploy(flow("another", echo("a")))
    there.web.dispose()
    there.engine.dispose()


def test_a_restored_database_guards_its_tables_as_before(place: Place, another_database: str, tmp_path: Path) -> None:
    backup.backup(place.target, tmp_path / "file")
    backup.restore(bare(another_database), tmp_path / "file")
    engine = create_engine(another_database)
    with engine.connect() as connection:
        forced = connection.scalars(text("SELECT relname FROM pg_class WHERE relforcerowsecurity")).all()
        assert {*forced} == {*inspect(connection).get_table_names()} - {"alembic_version"}
    engine.dispose()
    assert not migrate.pending(another_database)


def test_a_backup_of_an_older_version_is_brought_to_this_one(
    empty_database: str, another_database: str, tmp_path: Path
) -> None:
    migrate.create(empty_database, KEYS, "0002")
    owner = create_engine(empty_database)
    with owner.begin() as connection:
        connection.execute(text("INSERT INTO tenants (tenant_id, name) VALUES ('old', 'An old one')"))
    owner.dispose()
    backup.backup(bare(empty_database), tmp_path / "file")
    backup.restore(bare(another_database), tmp_path / "file")
    assert not migrate.pending(another_database)
    assert ["An old one" in row for row in content(another_database)["tenants"]] == [True]


def test_only_an_empty_database_is_filled(place: Place, tmp_path: Path) -> None:
    backup.backup(place.target, tmp_path / "file")
    before = content(place.target.owner_url)
    with pytest.raises(Conflict, match="not empty"):
        backup.restore(place.target, tmp_path / "file")
    assert content(place.target.owner_url) == before


def test_a_damaged_backup_leaves_the_database_empty(place: Place, another_database: str, tmp_path: Path) -> None:
    place.flows.deploy(flow("large", echo("a", config={"text": " ".join(map(str, range(5_000)))})))
    file = tmp_path / "file"
    backup.backup(place.target, file)
    file.write_bytes(file.read_bytes()[:-2_000])
    with pytest.raises((StackError, InvalidRequest)):
        backup.restore(bare(another_database), file)
    assert content(another_database) == {}
    assert vacant.revision(another_database) is None


def test_a_backup_of_a_newer_version_is_refused(place: Place, another_database: str, tmp_path: Path) -> None:
    owner = create_engine(place.target.owner_url)
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    owner.dispose()
    backup.backup(place.target, tmp_path / "file")
    with pytest.raises(Conflict, match="9999"):
        backup.restore(bare(another_database), tmp_path / "file")
    assert content(another_database) == {}


def test_what_is_no_backup_is_refused_by_its_name(servers: Servers, empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    with pytest.raises(InvalidRequest, match="no file"):
        backup.restore(bare(empty_database), file)
    file.write_text("nothing of the kind")
    with pytest.raises(InvalidRequest, match=r"notes\.txt"):
        backup.restore(bare(empty_database), file)


def test_a_backup_overwrites_nothing(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    with pytest.raises(InvalidRequest, match="exists"):
        backup.backup(place.target, file)
    assert file.read_text() == "precious"
    with pytest.raises(InvalidRequest, match="cannot be written"):
        backup.backup(place.target, tmp_path / "nowhere" / "file")


@pytest.fixture
def plain_owner(servers: Servers, empty_database: str, another_database: str) -> Iterator[Sequence[str]]:
    """The URLs of both databases for an owner who is no superuser and whom the policies hold, as managed servers have
    them."""
    role = f"o{new_id().replace('-', '')}"
    superuser = create_engine(servers.owner_url, isolation_level="AUTOCOMMIT")
    names = [str(make_url(url).database) for url in (empty_database, another_database)]
    with superuser.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN CREATEROLE")
        for name in names:
            connection.exec_driver_sql(f"ALTER DATABASE {name} OWNER TO {role}")
    owned = [make_url(url).set(username=role) for url in (empty_database, another_database)]
    yield [url.render_as_string(hide_password=False) for url in owned]
    with superuser.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            connection.exec_driver_sql(f"DROP ROLE IF EXISTS {name}_web, {name}_engine")
        connection.exec_driver_sql(f"DROP ROLE {role}")
    superuser.dispose()


def test_an_owner_without_privileges_backs_up_and_restores_all_the_same(
    no_workers: None, plain_owner: Sequence[str], empty_database: str, another_database: str, tmp_path: Path
) -> None:
    here, there = plain_owner
    place = opened(here)
    place.flows.deploy(flow("plain", {"id": "a", "type": "input"}))
    place.web.dispose()
    place.engine.dispose()
    assert content(here)["tenants"] == []
    backup.backup(place.target, tmp_path / "file")
    backup.restore(bare(there), tmp_path / "file")
    assert content(there)["tenants"] == []
    # Seen by a superuser, who passes every policy.
    assert content(another_database) == content(empty_database)
    assert content(another_database)["flows"]
