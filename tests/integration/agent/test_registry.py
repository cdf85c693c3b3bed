from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from aispine import settings
from aispine.agent import credential, finding, folder, registry
from aispine.agent.contract import Health
from aispine.agent.folder import built_in
from aispine.agent.watch import SECONDS, FolderWatch
from aispine.errors import Conflict, Forbidden, InvalidAgent, InvalidRequest, NotFound, VersionConflict
from aispine.store.ids import new_id
from tests.integration.agent import remote
from tests.unit.agent.support import write_agent

CODE = "def execute(input, config, context): return input"


@pytest.fixture
def agent():
    with remote.remote_agent() as running:
        yield running


@pytest.fixture
def agent_id():
    """A name of its own: the platform's agents are there for all tests."""
    return f"agent_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def register(web_store, tenant):
    def register(agent, **values):
        with web_store.session(tenant) as session:
            return registry.register_http(session, tenant, {"endpoint": agent.url, **values}, settings.current())

    return register


def sync(engine_store, *paths):
    with engine_store.session(None) as session:
        return registry.sync_folders(session, paths)


def found(session, tenant):
    return [each.registered for each in finding.find(session, tenant, finding.Wanted())]


def resolve(web_store, tenant, agent_id, range_="*"):
    with web_store.session(tenant) as session:
        return registry.resolve(session, tenant, agent_id, range_)


def test_a_folder_is_registered_once_and_found_by_every_tenant(engine_store, web_store, tenant, tmp_path, agent_id):
    definition = write_agent(tmp_path / "a", CODE, agent_id=agent_id, more="pool: quick\ntimeout: 3\n")
    assert sync(engine_store, tmp_path).added == (f"{agent_id}@1.0.0",)
    assert sync(engine_store, tmp_path).unchanged == (f"{agent_id}@1.0.0",)
    assert resolve(web_store, tenant, agent_id) == definition


def test_a_changed_definition_of_the_same_version_takes_its_place(engine_store, web_store, tenant, tmp_path, agent_id):
    write_agent(tmp_path / "a", CODE, agent_id=agent_id)
    sync(engine_store, tmp_path)
    write_agent(tmp_path / "a", CODE, agent_id=agent_id, more="pool: io\n")
    assert sync(engine_store, tmp_path).updated == (f"{agent_id}@1.0.0",)
    assert resolve(web_store, tenant, agent_id).pool == "io"


def test_a_folder_with_a_new_version_retires_the_one_it_held(engine_store, web_store, tenant, tmp_path, agent_id):
    write_agent(tmp_path / "a", CODE, agent_id=agent_id)
    sync(engine_store, tmp_path)
    write_agent(tmp_path / "a", CODE, agent_id=agent_id, version="1.1.0")
    sync(engine_store, tmp_path)
    assert resolve(web_store, tenant, agent_id).version == "1.1.0"
    with pytest.raises(NotFound, match=r"fits `1\.0\.0`"):
        resolve(web_store, tenant, agent_id, "1.0.0")
    with web_store.session(tenant) as session:
        assert registry.get(session, tenant, agent_id, "1.0.0").version == "1.0.0"


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder of agents that stands in the place of the built-in one."""
    monkeypatch.setattr(folder, "built_in", lambda: tmp_path / "built_in")
    return tmp_path / "built_in"


@pytest.mark.parametrize("version", ["1.0.0", "0.9.0"])
def test_an_own_agent_hides_every_version_of_the_built_in_one(
    engine_store, web_store, tenant, tmp_path, agent_id, beside, version
):
    write_agent(beside / "a", CODE, agent_id=agent_id)
    sync(engine_store, beside)
    with web_store.session(tenant) as session:
        assert registry.show(session, tenant, agent_id).official
    own = write_agent(tmp_path / "own" / "a", CODE, agent_id=agent_id, version=version)
    assert sync(engine_store, beside, tmp_path / "own").hidden == (agent_id,)
    assert resolve(web_store, tenant, agent_id) == own
    with web_store.session(tenant) as session:
        shown = registry.show(session, tenant, agent_id)
    assert (shown.official, shown.versions) == (False, (version,))


def test_a_built_in_agent_is_back_once_the_own_one_has_another_id(
    engine_store, web_store, tenant, tmp_path, agent_id, beside
):
    built_in = write_agent(beside / "a", CODE, agent_id=agent_id)
    write_agent(tmp_path / "own" / "a", CODE, agent_id=agent_id, version="2.0.0")
    sync(engine_store, beside, tmp_path / "own")
    write_agent(tmp_path / "own" / "a", CODE, agent_id=f"{agent_id}x")
    assert sync(engine_store, beside, tmp_path / "own").hidden == ()
    assert resolve(web_store, tenant, agent_id) == built_in


def test_a_folder_that_comes_while_it_is_watched_is_registered(engine_store, web_store, tenant, tmp_path, agent_id):
    now = [0.0]
    watch = FolderWatch(engine_store, (tmp_path,), clock=lambda: now[0])
    watch.look()
    definition = write_agent(tmp_path / "a", CODE, agent_id=agent_id)
    watch.look()
    with pytest.raises(NotFound):
        resolve(web_store, tenant, agent_id)
    now[0] += SECONDS
    watch.look()
    assert resolve(web_store, tenant, agent_id) == definition


def test_two_folders_hold_two_versions_and_the_range_chooses(engine_store, web_store, tenant, tmp_path, agent_id):
    for version in ("1.0.0", "1.10.0", "1.9.0", "2.0.0"):
        write_agent(tmp_path / version, CODE, agent_id=agent_id, version=version)
    sync(engine_store, tmp_path)
    found = [resolve(web_store, tenant, agent_id, range_).version for range_ in ("^1.0", "*", "1.9.x", ">=1 <1.5")]
    assert found == ["1.10.0", "2.0.0", "1.9.0", "1.0.0"]


def test_a_later_path_wins(engine_store, web_store, tenant, tmp_path, agent_id):
    for name in ("one", "two"):
        write_agent(tmp_path / name / "a", CODE, agent_id=agent_id)
    sync(engine_store, tmp_path / "one", tmp_path / "two")
    assert resolve(web_store, tenant, agent_id).folder == str(tmp_path / "two" / "a")


def test_a_broken_folder_is_told_and_stops_no_other(engine_store, tmp_path, agent_id):
    write_agent(tmp_path / "good", CODE, agent_id=agent_id)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "agent.yaml").write_text("agent_id: 1\n")
    synced = sync(engine_store, tmp_path)
    assert synced.added == (f"{agent_id}@1.0.0",)
    assert ["agent_id" in problem.message for problem in synced.problems] == [True]


def test_the_built_in_agents_are_listed_as_official(engine_store, web_store, tenant):
    sync(engine_store, built_in())
    with web_store.session(tenant) as session:
        listed = {each.agent.agent_id: each for each in found(session, tenant)}
    assert {"echo", "zoe", "eddie"} <= set(listed)
    assert listed["echo"].official
    assert listed["echo"].as_dict()["pool"] == "quick"
    assert "folder" not in listed["echo"].as_dict()


def test_an_http_agent_is_asked_for_what_is_left_out(agent, register, web_store, tenant):
    registered = register(agent, name="Remote one", timeout=12)
    assert registered.as_dict() | {"created_at": ""} == {
        "agent_id": "remote",
        "version": "1.2.0",
        "name": "Remote one",
        "capabilities": ["test"],
        "timeout": 12,
        "rate_limit": {"requests_per_minute": 60},
        "endpoint": agent.url,
        "kind": "http",
        "pool": "io",
        "type": "private",
        "status": "active",
        "status_reason": None,
        "deprecated": False,
        "deprecation": None,
        "official": False,
        "has_api_key": False,
        "versions": ["1.2.0"],
        "created_at": "",
    }
    assert resolve(web_store, tenant, "remote", "^1.0") == registered.agent


def test_the_key_is_sent_and_kept_encrypted_and_never_shown(agent, register, engine_store, tenant):
    registered = register(agent, api_key="very-secret")
    assert agent.calls[0].headers["authorization"] == "Bearer very-secret"
    assert "very-secret" not in repr(registered) + str(registered.as_dict())
    with engine_store.session(None) as session:
        stored = session.execute(text("SELECT a::text FROM agent_versions a WHERE tenant_id = :t"), {"t": tenant}).all()
    assert "very-secret" not in str(stored)
    keys = settings.current().encryption_keys
    assert credential.open_(registered.agent.credential, keys) == "very-secret"


def test_the_same_again_changes_nothing_and_other_content_is_refused(agent, register):
    first = register(agent, api_key="k")
    again = register(agent, api_key="k")
    assert (again.agent.version, again.created_at) == (first.agent.version, first.created_at)
    for other in ({"name": "Other"}, {"api_key": "other"}):
        with pytest.raises(VersionConflict) as caught:
            register(agent, **{"api_key": "k", **other})
        assert "1.2.1" in caught.value.hint


def test_a_new_version_stands_beside_the_old_one(agent, register):
    register(agent)
    agent.health = remote.answer({**remote.HEALTH, "version": "2.0.0"})
    assert register(agent).versions == ("1.2.0", "2.0.0")


@pytest.mark.parametrize(
    ("health", "values", "says"),
    [
        (remote.close, {}, "cannot be reached"),
        (remote.answer({}, 503), {}, "503"),
        (remote.answer(b"<html>", 200, "text/html"), {}, "text/html"),
        (remote.answer({**remote.HEALTH, "ready": False}), {}, "not ready"),
        (remote.answer(remote.HEALTH), {"agent_id": "other"}, "its agent_id is remote, not other"),
        (remote.answer(remote.HEALTH), {"version": "9.0.0"}, "its version is 1.2.0, not 9.0.0"),
        (remote.answer(remote.HEALTH), {"timeout": -1}, "`timeout`"),
        (remote.answer(remote.HEALTH), {"colour": "red"}, "`colour`"),
        (remote.answer({**remote.HEALTH, "agent_id": "two words"}), {}, "`agent_id`"),
    ],
)
def test_what_cannot_be_registered_is_told_and_not_stored(agent, register, web_store, tenant, health, values, says):
    agent.health = health
    with pytest.raises(InvalidAgent, match=says):
        register(agent, **values)
    with web_store.session(tenant) as session:
        assert all(each.agent.kind != "http" for each in found(session, tenant))


@pytest.mark.parametrize("api_key", [5, "", "two words"])
def test_a_key_that_makes_no_sense_is_refused_before_anything_is_sent(agent, register, api_key):
    with pytest.raises(InvalidRequest, match="api_key"):
        register(agent, api_key=api_key)
    assert agent.calls == []


def update(web_store, tenant, which, /, **values):
    with web_store.session(tenant) as session:
        return registry.update(session, tenant, which, values, settings.current())


def test_an_update_keeps_what_it_leaves_out(agent, register, web_store, tenant):
    register(agent, name="First", api_key="k", timeout=7)
    changed = update(web_store, tenant, "remote", description="Now described")
    assert (changed.agent.name, changed.agent.description, changed.agent.timeout) == ("First", "Now described", 7)
    assert agent.calls[-1].headers["authorization"] == "Bearer k"
    assert changed.agent.credential is not None


def test_an_update_can_forget_the_key(agent, register, web_store, tenant):
    register(agent, api_key="k")
    assert update(web_store, tenant, "remote", api_key=None).agent.credential is None
    assert "authorization" not in agent.calls[-1].headers


def test_an_update_cannot_change_the_id_or_what_is_the_platforms(agent, register, engine_store, web_store, tenant):
    register(agent)
    sync(engine_store, built_in())
    with pytest.raises(InvalidRequest, match="agent_id"):
        update(web_store, tenant, "remote", agent_id="other")
    with pytest.raises(Forbidden):
        update(web_store, tenant, "echo", name="Mine")
    with pytest.raises(NotFound):
        update(web_store, tenant, "nobody", name="Mine")


def test_a_deleted_agent_is_gone(agent, register, web_store, tenant):
    register(agent)
    with web_store.session(tenant) as session:
        registry.delete(session, tenant, "remote")
    with pytest.raises(NotFound):
        resolve(web_store, tenant, "remote")


def test_an_official_agent_cannot_be_deleted(engine_store, web_store, tenant):
    sync(engine_store, built_in())
    with web_store.session(tenant) as session, pytest.raises(Forbidden):
        registry.delete(session, tenant, "echo")


def test_an_agent_that_an_execution_needs_cannot_be_deleted(agent, register, engine_store, web_store, tenant):
    register(agent)
    values = {"id": new_id(), "tenant": tenant}
    with engine_store.session(None) as session:
        session.execute(
            text(
                "INSERT INTO executions"
                " (execution_id, tenant_id, flow_id, version, flow_version_id, status, input, context, agents) VALUES"
                " (:id, :tenant, 'f', '1.0.0', 0, 'running', '{}', '{}', '{\"remote@^1.0\": {}}')"
            ),
            values,
        )
    with web_store.session(tenant) as session, pytest.raises(Conflict, match="has not ended"):
        registry.delete(session, tenant, "remote")
    with engine_store.session(None) as session:
        session.execute(text("UPDATE executions SET status = 'completed' WHERE execution_id = :id"), values)
    with web_store.session(tenant) as session:
        registry.delete(session, tenant, "remote")


def test_ones_own_agent_hides_the_platforms_of_the_same_id(agent, register, engine_store, web_store, tenant):
    sync(engine_store, built_in())
    agent.health = remote.answer({**remote.HEALTH, "agent_id": "echo"})
    register(agent)
    assert resolve(web_store, tenant, "echo").kind == "http"
    with pytest.raises(NotFound, match="fits"):
        resolve(web_store, tenant, "echo", "1.0.0")


def test_no_tenant_sees_anothers_agents(agent, register, web_store, engine_store, tenant):
    register(agent)
    other = f"t-{new_id()}"
    with pytest.raises(NotFound):
        resolve(web_store, other, "remote")
    with engine_store.session(None) as session, pytest.raises(NotFound):
        registry.resolve(session, other, "remote")


def test_a_tenant_cannot_write_the_platforms_rows(web_store, tenant, tmp_path, agent_id):
    write_agent(tmp_path / "a", CODE, agent_id=agent_id)
    with pytest.raises(DBAPIError, match="row-level security"), web_store.session(tenant) as session:
        registry.sync_folders(session, [tmp_path])


def test_a_name_that_is_nearly_right_gets_a_hint(engine_store, web_store, tenant):
    sync(engine_store, built_in())
    with pytest.raises(NotFound) as caught:
        resolve(web_store, tenant, "eddy")
    assert caught.value.hint == "Did you mean `eddie`?"
    with pytest.raises(NotFound) as caught:
        resolve(web_store, tenant, "echo", "^7")
    assert caught.value.hint == "There are: 1.0.0."


def test_health_is_asked_over_http_and_known_of_folders(agent, register, engine_store, web_store, tenant):
    sync(engine_store, built_in())
    answers = [
        registry.check_health(found, settings.current())
        for found in (register(agent).agent, resolve(web_store, tenant, "echo"))
    ]
    assert [(type(health), health.ready) for health in answers] == [(Health, True)] * 2
