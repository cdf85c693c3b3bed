"""Statuses of executions and nodes, what they mean, and which follows which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ExecutionStatus(StrEnum):
    """Where an execution stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"

    @property
    def terminal(self) -> bool:
        return self in _ENDED_EXECUTIONS

    @property
    def successful(self) -> bool:
        return self is ExecutionStatus.COMPLETED


class NodeStatus(StrEnum):
    """Where a node of an execution stands."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        return self in _ENDED_NODES

    @property
    def successful(self) -> bool:
        return self is NodeStatus.COMPLETED

    @property
    def open(self) -> bool:
        """True while somebody or something has still to act for the node to end."""
        return self in OPEN_NODES


_ENDED_EXECUTIONS: Final = frozenset(
    {
        ExecutionStatus.COMPLETED,
        ExecutionStatus.FAILED,
        ExecutionStatus.CANCELLED,
        ExecutionStatus.TIMED_OUT,
    }
)
_ENDED_NODES: Final = frozenset({NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.SKIPPED, NodeStatus.CANCELLED})
OPEN_NODES: Final = frozenset({NodeStatus.QUEUED, NodeStatus.RUNNING, NodeStatus.RETRYING, NodeStatus.WAITING})
ACTIVE_NODES: Final = frozenset({NodeStatus.QUEUED, NodeStatus.RUNNING, NodeStatus.RETRYING})
"""Statuses in which a node has, or will soon have, a worker."""

_E = ExecutionStatus
EXECUTION_TRANSITIONS: Final[Mapping[ExecutionStatus, frozenset[ExecutionStatus]]] = {
    _E.QUEUED: frozenset({_E.RUNNING, _E.PAUSED, _E.FAILED, _E.CANCELLED, _E.TIMED_OUT}),
    _E.RUNNING: frozenset({_E.WAITING, _E.PAUSED, _E.COMPLETED, _E.FAILED, _E.CANCELLED, _E.TIMED_OUT}),
    _E.WAITING: frozenset({_E.RUNNING, _E.PAUSED, _E.COMPLETED, _E.FAILED, _E.CANCELLED, _E.TIMED_OUT}),
    _E.PAUSED: frozenset({_E.QUEUED, _E.RUNNING, _E.WAITING, _E.COMPLETED, _E.FAILED, _E.CANCELLED, _E.TIMED_OUT}),
    _E.COMPLETED: frozenset(),
    _E.FAILED: frozenset({_E.RUNNING}),
    _E.CANCELLED: frozenset({_E.RUNNING}),
    _E.TIMED_OUT: frozenset({_E.RUNNING}),
}
"""An ended execution runs again only when it is retried."""

_N = NodeStatus
NODE_TRANSITIONS: Final[Mapping[NodeStatus, frozenset[NodeStatus]]] = {
    _N.PENDING: frozenset({_N.QUEUED, _N.RUNNING, _N.WAITING, _N.COMPLETED, _N.FAILED, _N.SKIPPED, _N.CANCELLED}),
    _N.QUEUED: frozenset({_N.RUNNING, _N.CANCELLED}),
    _N.RUNNING: frozenset({_N.QUEUED, _N.RETRYING, _N.WAITING, _N.COMPLETED, _N.FAILED, _N.CANCELLED}),
    _N.RETRYING: frozenset({_N.QUEUED, _N.CANCELLED}),
    _N.WAITING: frozenset({_N.QUEUED, _N.RUNNING, _N.RETRYING, _N.COMPLETED, _N.FAILED, _N.SKIPPED, _N.CANCELLED}),
    _N.COMPLETED: frozenset({_N.RUNNING}),
    _N.FAILED: frozenset({_N.PENDING, _N.RUNNING}),
    _N.SKIPPED: frozenset({_N.PENDING}),
    _N.CANCELLED: frozenset({_N.PENDING, _N.RUNNING}),
}
"""`running -> queued` is a lost attempt; what follows an end is a retry of the execution.

A fork that has completed runs again when the join behind it had too few of its branches.
"""
