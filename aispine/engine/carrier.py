"""The canvas that brought a message, seen from inside the message."""

from __future__ import annotations

from typing import Protocol

from aispine.flow.state import Transition


class Carrier(Protocol):
    """The canvas that brought a message, and what of it comes after."""

    @property
    def following(self) -> frozenset[str]:
        """The nodes that the next member of the chain starts."""

    def skip(self) -> None:
        """Takes the next member out of the chain: it is done already."""

    def stop(self) -> None:
        """Drops what is left of the chain."""


def keep_up(carrier: Carrier, transition: Transition) -> tuple[str, ...]:
    """Keeps the chain in step with what was decided; returns the paths that need a message of their own."""
    claimed, queued = transition.claimed, transition.queued
    if claimed and carrier.following == set(claimed) and not queued:
        carrier.skip()
    elif not claimed and queued and carrier.following == set(queued):
        return ()
    else:
        carrier.stop()
    return queued
