"""Every key of a test file, once."""

from __future__ import annotations

from typing import Final

from aispine.flow.keys import Key, Kind
from aispine.flow.status import ExecutionStatus, NodeStatus

TEST_KEYS: Final = (
    Key(
        name="flow",
        kind=Kind.TEXT,
        required=True,
        doc="The flow file under test, as seen from the test file.",
        example="flow: triage.yaml",
    ),
    Key(
        name="cases",
        kind=Kind.SECTIONS,
        required=True,
        doc="The executions to rehearse.",
        example="cases: [{name: an urgent ticket, input: {body: Help}, expect: {status: completed}}]",
    ),
)

REHEARSAL_KEYS: Final = (
    Key(name="name", kind=Kind.TEXT, required=True, doc="What the case shows.", example="name: an urgent ticket"),
    Key(name="input", kind=Kind.ANY, default={}, doc="The input of the execution.", example="input: {amount: 10}"),
    Key(
        name="now",
        kind=Kind.TEXT,
        default="2026-01-01T00:00:00Z",
        doc="When the execution starts, as an ISO 8601 timestamp. Its time is not real: waits take none.",
        example="now: 2030-01-31T09:00:00Z",
    ),
    Key(
        name="mocks",
        kind=Kind.SECTION,
        default={},
        doc="What agents and child executions answer, by the node's id, or by its path for one place in a body: an "
        "answer, or a list with one for each attempt, the last of which goes on.",
        example="mocks: {score: {output: {points: 7}}, book: [{error: unavailable}, {output: {room: 3}}]}",
    ),
    Key(
        name="signals",
        kind=Kind.SECTIONS,
        default=[],
        doc="The signals that are sent, each with the time since the start.",
        example="signals: [{name: paid, at: 5m, payload: {amount: 10}}]",
    ),
    Key(
        name="answers",
        kind=Kind.SECTION,
        default={},
        doc="What people say to approvals as soon as these wait, by id or path; without an answer nobody comes.",
        example="answers: {ask: {approved: true}}",
    ),
    Key(
        name="cancel_at",
        kind=Kind.DURATION,
        doc="When somebody cancels the execution, as the time since the start.",
        example="cancel_at: 10s",
    ),
    Key(
        name="expect",
        kind=Kind.SECTION,
        required=True,
        doc="What must come of it; what is not named may be anything.",
        example="expect: {status: completed, path: [receive, score], output: {points: 7}}",
    ),
)

MOCK_KEYS: Final = (
    Key(name="output", kind=Kind.ANY, doc="The output of a success.", example="output: {points: 7}"),
    Key(
        name="error",
        kind=Kind.ANY,
        doc="The code of a failure, or its `code` and `message`.",
        example="error: {code: agent_error, message: the file is broken}",
    ),
    Key(name="takes", kind=Kind.DURATION, default=0, doc="How long the attempt takes.", example="takes: 5s"),
)

SIGNAL_KEYS: Final = (
    Key(name="name", kind=Kind.TEXT, required=True, doc="The name of the signal.", example="name: paid"),
    Key(name="at", kind=Kind.DURATION, default=0, doc="The time since the start.", example="at: 5m"),
    Key(name="payload", kind=Kind.ANY, doc="What it brings.", example="payload: {amount: 10}"),
)

EXPECT_KEYS: Final = (
    Key(
        name="status",
        kind=Kind.CHOICE,
        choices=tuple(ExecutionStatus),
        default="completed",
        doc="Where the execution stands when nothing more happens.",
        example="status: waiting",
    ),
    Key(name="output", kind=Kind.ANY, doc="The output of the execution.", example="output: {points: 7}"),
    Key(name="error", kind=Kind.TEXT, doc="The code of the execution's error.", example="error: timeout"),
    Key(
        name="path",
        kind=Kind.NODE_REFS,
        doc="The nodes that began, in that order, with their paths inside bodies.",
        example="path: [receive, poll, poll[0]/check]",
    ),
    Key(
        name="nodes",
        kind=Kind.SECTION,
        default={},
        doc="The status of nodes by path, or more of what is known of them.",
        example="nodes: {draft: skipped, score: {status: completed, attempts: 2}}",
    ),
    Key(name="context", kind=Kind.OBJECT, doc="The shared variables afterwards.", example="context: {route: draft}"),
)

NODE_EXPECT_KEYS: Final = (
    Key(
        name="status",
        kind=Kind.CHOICE,
        choices=tuple(NodeStatus),
        default="completed",
        doc="Where the node stands.",
        example="status: failed",
    ),
    Key(name="attempts", kind=Kind.INTEGER, minimum=0, doc="How often it was tried.", example="attempts: 2"),
    Key(name="input", kind=Kind.ANY, doc="What its agent was given.", example="input: {amount: 10}"),
    Key(name="output", kind=Kind.ANY, doc="Its output.", example="output: {points: 7}"),
    Key(name="error", kind=Kind.TEXT, doc="The code of its error.", example="error: timeout"),
)
