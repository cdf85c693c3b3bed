"""Every error a user can meet, one tree.

A class carries its stable `code`, its HTTP `status` and its `exit_code`; the shells only read them.
The docstring of a class is its default message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class AISpineError(Exception):
    """Something went wrong inside AI Spine."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        field: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = hint
        self.field = field
        self.errors = tuple(errors)
        super().__init__(self.message)


class InvalidRequest(AISpineError):
    """The request is not valid."""

    code = "invalid_request"
    status = 400
    exit_code = 2


class Unauthenticated(AISpineError):
    """The API key is missing or not known."""

    code = "unauthenticated"
    status = 401


class Forbidden(AISpineError):
    """This key may not do that."""

    code = "forbidden"
    status = 403


class NotFound(AISpineError):
    """There is no such object."""

    code = "not_found"
    status = 404


class Conflict(AISpineError):
    """The state of the object does not allow that."""

    code = "conflict"
    status = 409


class VersionConflict(Conflict):
    """This version exists with other content."""

    code = "version_conflict"


class Gone(AISpineError):
    """It is too late for that."""

    code = "gone"
    status = 410


class TooLarge(AISpineError):
    """The value is larger than the limit."""

    code = "too_large"
    status = 413
    exit_code = 2


class UnsupportedMediaType(AISpineError):
    """The content type is not supported."""

    code = "unsupported_media_type"
    status = 415


class Unprocessable(AISpineError):
    """The content is well formed but not valid."""

    code = "unprocessable"
    status = 422
    exit_code = 2


class InvalidFlow(Unprocessable):
    """The flow file has problems."""

    code = "invalid_flow"


class InvalidAgent(Unprocessable):
    """The agent's definition has problems."""

    code = "invalid_agent"


class InvalidTool(Unprocessable):
    """The tool's registration has problems."""

    code = "invalid_tool"


class InvalidInput(Unprocessable):
    """The value does not fit its schema."""

    code = "invalid_input"


class IdempotencyMismatch(Unprocessable):
    """This Idempotency-Key was used with another request."""

    code = "idempotency_mismatch"


class RateLimited(AISpineError):
    """Too many requests."""

    code = "rate_limited"
    status = 429


class Unavailable(AISpineError):
    """A part that this needs does not answer."""

    code = "unavailable"
    status = 503


class StoreUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "store_unavailable"


class BrokerUnavailable(Unavailable):
    """The message broker does not answer."""

    code = "broker_unavailable"


class StackError(AISpineError):
    """The local stack cannot do that."""

    code = "stack_error"


class ExpressionError(AISpineError):
    """An expression cannot be evaluated."""

    code = "expression_error"
    status = 422
    exit_code = 2
