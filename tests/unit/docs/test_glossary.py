"""docs/glossary.md names every status, event and code, and no other."""

from __future__ import annotations

from collections.abc import Iterator

from aispine.agent.contract import FailureCode
from aispine.errors import AISpineError
from aispine.events.types import EventType
from aispine.flow.model import RetryPolicy
from aispine.flow.retry import CODES
from aispine.flow.standing import AgentStatus
from aispine.flow.status import ExecutionStatus, NodeStatus
from tests.unit.docs.generated import DOCS
from tests.unit.docs.markdown import rows, section

GLOSSARY = DOCS / "glossary.md"


def table(title: str) -> list[tuple[str, ...]]:
    return rows(section(GLOSSARY, title))


def errors(kind: type[AISpineError] = AISpineError) -> Iterator[type[AISpineError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == AISpineError.__module__:
            yield from errors(child)


def test_every_status_of_an_execution_is_there_and_says_whether_it_is_an_end() -> None:
    documented = [(row[0], row[1] == "yes") for row in table("Status of an execution")]
    assert documented == [(str(status), status.terminal) for status in ExecutionStatus]


def test_every_status_of_a_node_is_there_and_says_whether_it_is_an_end() -> None:
    documented = [(row[0], row[1] == "yes") for row in table("Status of a node")]
    assert documented == [(str(status), status.terminal) for status in NodeStatus]


def test_every_status_of_an_agent_is_there_and_says_whether_flows_find_it() -> None:
    documented = [(row[0], row[1] == "yes") for row in table("Status of a version of an agent")]
    assert documented == [(str(status), status.found) for status in AgentStatus]


def test_the_only_successful_end_is_named() -> None:
    for title in ("Status of an execution", "Status of a node"):
        successful = [row[0] for row in table(title) if "only successful end" in row[2]]
        assert successful == ["completed"]
    assert [status for status in ExecutionStatus if status.successful] == ["completed"]
    assert [status for status in NodeStatus if status.successful] == ["completed"]


def test_every_event_is_there_and_says_whether_another_may_follow() -> None:
    documented = [(row[0], row[1].endswith("no event follows")) for row in table("Events")]
    assert documented == [(str(kind), kind.terminal) for kind in EventType]


def test_every_failure_code_is_there_those_tried_again_first_and_those_that_cannot_be_last() -> None:
    documented = [row[0] for row in table("Why an attempt failed")]
    assert documented == [str(code) for code in FailureCode]
    assert set(documented[:3]) == RetryPolicy().retry_on
    assert tuple(documented[: len(CODES)]) == CODES


def test_every_error_code_is_there_with_its_status_and_exit_code() -> None:
    documented = [row[:3] for row in table("Errors of the API and the command line")]
    assert documented == [(kind.code, str(kind.status), str(kind.exit_code)) for kind in errors()]
