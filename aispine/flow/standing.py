"""How a version of an agent stands: its statuses, what leads from one to another, and who may lead it there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class AgentStatus(StrEnum):
    """`active` is what new executions look for; `suspended` is found too, and its nodes wait or fail."""

    DRAFT = "draft"
    PENDING = "pending"
    TESTING = "testing"
    VERIFIED = "verified"
    ACTIVE = "active"
    SUSPENDED = "suspended"

    @property
    def found(self) -> bool:
        """Whether flows find the version."""
        return self in {AgentStatus.ACTIVE, AgentStatus.SUSPENDED}


class AgentType(StrEnum):
    """Whose word stands behind a version: AI Spine's, the platform's that tested it, or its owner's alone."""

    OFFICIAL = "official"
    VERIFIED = "verified"
    PRIVATE = "private"


class Actor(StrEnum):
    """Who changes a status: the tenant whose agent it is, or the platform."""

    OWNER = "owner"
    PLATFORM = "platform"


_OWNER: Final = frozenset({Actor.OWNER})
_PLATFORM: Final = frozenset({Actor.PLATFORM})
_BOTH: Final = _OWNER | _PLATFORM

TRANSITIONS: Final[Mapping[AgentStatus, Mapping[AgentStatus, frozenset[Actor]]]] = {
    AgentStatus.DRAFT: {AgentStatus.PENDING: _OWNER, AgentStatus.ACTIVE: _BOTH},
    AgentStatus.PENDING: {AgentStatus.TESTING: _PLATFORM, AgentStatus.DRAFT: _BOTH},
    AgentStatus.TESTING: {AgentStatus.VERIFIED: _PLATFORM, AgentStatus.DRAFT: _PLATFORM},
    AgentStatus.VERIFIED: {AgentStatus.ACTIVE: _BOTH, AgentStatus.DRAFT: _BOTH},
    AgentStatus.ACTIVE: {AgentStatus.SUSPENDED: _BOTH},
    AgentStatus.SUSPENDED: {AgentStatus.ACTIVE: _BOTH, AgentStatus.DRAFT: _BOTH},
}
"""From each status to the next ones, and who may go there."""

UNDER_TEST: Final = (AgentStatus.PENDING, AgentStatus.TESTING, AgentStatus.VERIFIED)
"""Statuses that speak of the very content that was handed in: other content is a draft again."""


def who_may(before: AgentStatus, after: AgentStatus) -> frozenset[Actor]:
    """Who may lead a version from one status to another; nobody where no way leads."""
    return TRANSITIONS[before].get(after, frozenset())
