"""What a channel has to be able to do, and the values that it gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aispine.channel.message import Incoming, Media, Outgoing, Report

LARGEST_MEDIA = 100_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """What makes a channel: how the outside calls it, and its secrets by name."""

    address: str
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A channel ready to be spoken over: `base_url` of the service, what it calls us, and our secrets there."""

    base_url: str
    address: str
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One thing that a webhook tells: of which address of ours, and what. `event` names what concerns no person."""

    address: str | None
    what: Incoming | Report | None
    event: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """A message that goes out now: `outbox_id` comes back in reports and in presses of buttons.

    `content` are the bytes of its file.
    """

    outbox_id: str
    user_id: str
    message: Outgoing
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The service took the message and calls it so."""

    outside_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The service did not take the message. `retry_after` in seconds where another try may help, else None.

    `code` is ours, `detail` what the service said.
    """

    code: str
    message: str
    retry_after: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def permanent(self) -> bool:
        return self.retry_after is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A file that came with a message: its bytes, and what the service says that they are."""

    content: bytes = field(repr=False)
    media_type: str | None = None
    name: str | None = None


class MediaError(Exception):
    """A file that came with a message cannot be had; `retryable` when it may be later."""

    def __init__(self, message: str, *, code: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class Adapter(Protocol):
    """One kind of channel."""

    kind: str
    credentials: tuple[str, ...]
    """The names of the secrets that it takes."""
    longest_text: int

    def define(self, values: Mapping[str, str]) -> Definition:
        """Checks what makes a channel; makes up the secrets that are ours to choose. Raises `InvalidRequest`."""

    def handshake(self, credentials: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        """What to answer to somebody who asks whether the webhook is ours; None refuses."""

    def verify(self, credentials: Mapping[str, str], headers: Mapping[str, str], raw: bytes) -> bool:
        """Tells whether a webhook comes from the service; in constant time, over the raw bytes."""

    def read(self, payload: Any) -> Iterator[Notice]:
        """Everything that a verified webhook tells; what is not understood is `unknown` and never an error."""

    def check_outgoing(self, message: Outgoing) -> None:
        """Raises `InvalidRequest` for a message that the service would refuse by its form."""

    def send(self, line: Line, parcel: Parcel) -> Sent | Refusal:
        """Sends one message. Every way in which that can fail is a `Refusal`, never an exception."""

    def acknowledge(self, line: Line, body: Mapping[str, Any]) -> None:
        """Tells the service that the press of a button was seen, where it waits for that; never fails."""

    def fetch(self, line: Line, media: Media) -> Fetched:
        """Brings a file that came with a message. Raises `MediaError`."""

    def check(self, line: Line) -> Mapping[str, Any]:
        """What the service says of the channel. Raises `Unavailable` or `InvalidRequest`."""
