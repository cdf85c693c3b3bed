"""Why a call came to nothing; `code` is the word that flows, events and `retry_on` have for it."""

from __future__ import annotations

from typing import ClassVar


class CallError(Exception):
    """A call brought no answer that can be used; the message is for people."""

    code: ClassVar[str]

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(CallError):
    """The guard lets no call go there."""

    code = "rejected"


class TooLate(CallError):
    """The whole answer was not there in time."""

    code = "timeout"


class Cancelled(CallError):
    """Somebody ended the call."""

    code = "cancelled"


class Unreachable(CallError):
    """No connection, or one that broke."""

    code = "unavailable"


class Unreadable(CallError):
    """The answer is too large, or is not packed as it says."""

    code = "invalid_response"
