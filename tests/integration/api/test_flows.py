from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.api.conftest import ECHO


def deploy(client: FlaskClient, source: str, path: str = "/api/v1/flows", method: str = "POST") -> TestResponse:
    return client.open(path, method=method, data=source, content_type="application/yaml")


def body(answer: TestResponse) -> Any:
    assert answer.json is not None
    return answer.json


def test_a_deployed_flow_is_found_under_both_spellings(client: FlaskClient) -> None:
    answer = deploy(client, ECHO)
    assert answer.status_code == 201
    assert client.get(answer.headers["Location"]).status_code == 200
    for spelling in ("echo-flow", "echo_flow"):
        shown = body(client.get(f"/api/v1/flows/{spelling}"))
        assert shown["flow_id"] == "echo-flow"
        assert shown["source"] == ECHO
        assert [node["id"] for node in shown["nodes"]] == ["receive", "say", "done"]


def test_the_same_content_again_changes_nothing_however_it_is_written(client: FlaskClient) -> None:
    deploy(client, ECHO)
    again = deploy(client, "# a comment\n" + json.dumps(dict(reversed(yaml.safe_load(ECHO).items()))))
    assert again.status_code == 200
    assert body(again)["created"] is False


def test_the_same_version_with_other_content_is_refused_with_the_next_free_one(client: FlaskClient) -> None:
    deploy(client, ECHO)
    deploy(client, ECHO.replace("1.0.0", "1.0.1"))
    answer = deploy(client, ECHO.replace("name: Echo", "name: Other"))
    assert answer.status_code == 409
    assert body(answer)["code"] == "version_conflict"
    assert "1.0.2" in body(answer)["hint"]


def test_deploying_one_version_from_many_places_at_once_keeps_one_content(
    client_of: Callable[[str], FlaskClient], api_key: str
) -> None:
    together = threading.Barrier(6)
    statuses: list[int] = []

    def post(name: str) -> None:
        client = client_of(api_key)
        together.wait(10)
        statuses.append(deploy(client, ECHO.replace("name: Echo", f"name: {name}")).status_code)

    threads = [threading.Thread(target=post, args=[f"Echo {number}"]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]


def test_the_highest_version_counts_and_a_range_narrows(client: FlaskClient) -> None:
    for version in ("1.10.0", "1.9.0", "2.0.0-rc.1"):
        deploy(client, ECHO.replace("1.0.0", version))
    assert body(client.get("/api/v1/flows/echo-flow"))["version"] == "1.10.0"
    assert body(client.get("/api/v1/flows/echo-flow/versions/~1.9"))["version"] == "1.9.0"
    assert body(client.get("/api/v1/flows/echo-flow/versions/2.0.0-rc.1"))["version"] == "2.0.0-rc.1"
    assert client.get("/api/v1/flows/echo-flow/versions/^3").status_code == 404
    assert client.get("/api/v1/flows/echo-flow/versions/nonsense").status_code == 400
    listed = body(client.get("/api/v1/flows/echo-flow/versions"))["data"]
    assert [each["version"] for each in listed] == ["2.0.0-rc.1", "1.10.0", "1.9.0"]


def test_a_deleted_flow_is_gone_and_starts_anew_when_it_is_deployed_again(client: FlaskClient) -> None:
    deploy(client, ECHO.replace("1.0.0", "2.0.0"))
    deploy(client, ECHO)
    assert client.delete("/api/v1/flows/echo_flow").status_code == 204
    assert client.delete("/api/v1/flows/echo_flow").status_code == 404
    assert client.get("/api/v1/flows/echo-flow").status_code == 404
    assert body(client.get("/api/v1/flows"))["data"] == []
    assert client.post("/api/v1/flows/execute", json={"flow_id": "echo-flow"}).status_code == 404
    assert deploy(client, ECHO).status_code == 201
    assert [each["version"] for each in body(client.get("/api/v1/flows/echo-flow/versions"))["data"]] == ["1.0.0"]
    assert body(client.get("/api/v1/flows/echo-flow"))["version"] == "1.0.0"


def test_flows_come_in_pages(client: FlaskClient) -> None:
    names = [f"flow-{number}" for number in range(5)]
    for name in reversed(names):
        deploy(client, ECHO.replace("echo-flow", name))
    seen: list[str] = []
    cursor = None
    while True:
        page = body(client.get("/api/v1/flows", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})))
        seen += [flow["flow_id"] for flow in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names


def test_all_problems_come_at_once_with_their_places(client: FlaskClient) -> None:
    source = ECHO.replace("depends_on: [say]", "depends_on: [sya]").replace("echo@^1", "ecko@^1")
    answer = deploy(client, source)
    assert answer.status_code == 422
    assert body(answer)["code"] == "invalid_flow"
    assert [(each["line"], each["node"]) for each in body(answer)["errors"]] == [(9, "done")]
    unknown = deploy(client, ECHO.replace("echo@^1", "ecko@^1"))
    assert [(each["line"], each["hint"]) for each in body(unknown)["errors"]] == [(8, "Did you mean `echo`?")]
    assert client.get("/api/v1/flows/echo-flow").status_code == 404


def test_an_agent_version_that_is_not_there_is_a_problem(client: FlaskClient) -> None:
    answer = deploy(client, ECHO.replace("echo@^1", "echo@^99"))
    assert answer.status_code == 422
    assert "^99" in body(answer)["errors"][0]["message"]


def test_validation_answers_with_the_problems_and_stores_nothing(client: FlaskClient) -> None:
    good = body(client.post("/api/v1/flows/validate", json={"source": ECHO, "file": "flows/echo.yaml"}))
    assert good == {"valid": True, "flow_id": "echo-flow", "version": "1.0.0", "problems": [], "warnings": []}
    bad = body(
        client.post("/api/v1/flows/validate", json={"source": ECHO.replace("echo@", "no@"), "file": "flows/echo.yaml"})
    )
    assert bad["valid"] is False
    assert bad["problems"][0]["file"] == "flows/echo.yaml"
    assert body(client.get("/api/v1/flows"))["data"] == []


def test_validation_says_that_a_version_exists_with_other_content(client: FlaskClient) -> None:
    deploy(client, ECHO)
    same = body(client.post("/api/v1/flows/validate", json={"source": ECHO}))
    other = body(client.post("/api/v1/flows/validate", json={"source": ECHO.replace("echo@", "eddie@")}))
    assert same["problems"] == []
    assert [problem["code"] for problem in other["problems"]] == ["version_conflict"]
    assert "1.0.1" in other["problems"][0]["hint"]


def test_a_flow_can_be_sent_as_a_json_object(client: FlaskClient) -> None:
    assert client.post("/api/v1/flows", json=yaml.safe_load(ECHO)).status_code == 201


def test_put_takes_files_of_that_flow_alone(client: FlaskClient) -> None:
    assert deploy(client, ECHO, "/api/v1/flows/echo_flow", "PUT").status_code == 201
    answer = deploy(client, ECHO, "/api/v1/flows/other", "PUT")
    assert answer.status_code == 422
    assert body(answer)["field"] == "flow_id"


def test_another_spelling_of_a_flow_that_is_there_is_refused(client: FlaskClient) -> None:
    deploy(client, ECHO)
    answer = deploy(client, ECHO.replace("echo-flow", "echo_flow").replace("1.0.0", "1.1.0"))
    assert answer.status_code == 409
    assert "echo-flow" in body(answer)["hint"]


def test_the_difference_of_two_versions_is_shown(client: FlaskClient) -> None:
    deploy(client, ECHO)
    deploy(client, ECHO.replace("1.0.0", "1.1.0").replace("name: Echo", "name: Louder"))
    answer = body(client.get("/api/v1/flows/echo-flow/versions/1.0.0/diff"))
    assert (answer["old"], answer["new"]) == ("1.0.0", "1.1.0")
    assert "-name: Echo" in answer["diff"]
    assert "+name: Louder" in answer["diff"]


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"", "application/yaml", 422, "invalid_flow"),
        (b"\x89PNG\r\n\x1a\n\x00", "application/yaml", 422, "invalid_flow"),
        (b"[1]", "application/yaml", 422, "invalid_flow"),
        (b"a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n", "application/yaml", 422, "invalid_flow"),
        (b"x" * 1_000_001, "application/yaml", 413, "too_large"),
        (b"x" * 10_000_000, "application/yaml", 413, "too_large"),
        (b"flow_id: x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"flow_id: x", None, 415, "unsupported_media_type"),
        (b'{"source": 1}', "application/json", 400, "invalid_request"),
        (b'{"source": "", "sauce": 1}', "application/json", 400, "invalid_request"),
        (b'{"sauce": 1}', "application/json", 422, "invalid_flow"),
        (b"{", "application/json", 400, "invalid_request"),
    ],
)
def test_what_is_no_flow_file_is_refused(
    client: FlaskClient, data: bytes, content_type: str | None, status: int, code: str
) -> None:
    for path in ("/api/v1/flows", "/api/v1/flows/validate"):
        answer = client.post(path, data=data, content_type=content_type)
        if path.endswith("validate") and status == 422:
            assert answer.status_code == 200
            assert body(answer)["valid"] is False
            assert body(answer)["problems"]
        else:
            assert (answer.status_code, body(answer)["code"]) == (status, code)
    assert body(client.get("/api/v1/flows"))["data"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=%FF", "cursor=!", "cursor=AA", "nope=1"])
def test_a_wrong_query_is_refused_naming_the_parameter(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/v1/flows?{query}")
    assert answer.status_code == 400
    assert body(answer)["field"] == query.partition("=")[0]
