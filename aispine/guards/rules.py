"""Where calls may go: public addresses, what the deployment allows besides, and what a tenant rules out."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

from aispine.errors import InvalidRequest
from aispine.guards import address
from aispine.guards.address import Address, Network
from aispine.guards.failures import Refused
from aispine.settings import Settings

LOOPBACK: Final = "loopback"
PRIVATE: Final = "private"
PUBLIC: Final = "public"
_OWN_HINT: Final = "The tenant's own lists say so; `aispine hosts` shows and changes them."
_HINT: Final = "Whoever runs this stack can allow it in AISPINE_ALLOWED_HOSTS; see docs/agents.md."


@dataclass(frozen=True, kw_only=True, slots=True)
class Hosts:
    """A list of hosts: exact names, endings (`*.example.com`) and networks. Empty, it names none."""

    names: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.endings or self.networks)

    def names_host(self, host: str) -> bool:
        """True when the list has the name itself, not its address."""
        return host in self.names or host.endswith(self.endings)

    def holds(self, found: Address) -> bool:
        return any(found in network for network in self.networks if network.version == found.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """Decides for each address of a host whether a call may go there.

    `allowed` may be called although it is not public; of `only`, if it names any, one must fit; `denied` wins over all.
    """

    allowed: Hosts = Hosts()
    only: Hosts = Hosts()
    denied: Hosts = Hosts()
    everywhere: bool = False

    def check(self, host: str, told: str) -> None:
        """Raises `Refused` unless a call may go to the address that the resolver or the socket told."""
        name, found = host.rstrip(".").lower(), address.read(told)
        if _fits(self.denied, name, found):
            raise Refused(f"{host} is among the hosts that may not be called", hint=_OWN_HINT)
        if self.only and not _fits(self.only, name, found):
            raise Refused(f"{host} is not among the hosts that may be called", hint=_OWN_HINT)
        if not (self.everywhere or address.is_public(found) or _fits(self.allowed, name, found)):
            raise Refused(f"{host} leads to {found}, which is no address of the public internet", hint=_HINT)

    def restricted(self, *, only: Hosts, denied: Hosts) -> Guard:
        """The same guard with a tenant's own lists, which can only take away."""
        return replace(self, only=only, denied=denied)


@dataclass(frozen=True, kw_only=True, slots=True)
class Restriction:
    """A tenant's own lists, as `Guard` has them."""

    only: Hosts = Hosts()
    denied: Hosts = Hosts()


@contextmanager
def restricting(find: Callable[[], Restriction]) -> Iterator[None]:
    """Restricts what `of` gives inside; `find` is asked when a call is made, and not before."""
    token = _restricted.set(find)
    try:
        yield
    finally:
        _restricted.reset(token)


_restricted: Final[ContextVar[Callable[[], Restriction] | None]] = ContextVar("restricted", default=None)


OPEN: Final = Guard(everywhere=True)
"""For a person's own command on their own machine, which may call whatever the person can."""


def of(settings: Settings) -> Guard:
    """The guard of this deployment, and of the tenant that calls where one is known.

    Raises `InvalidRequest` when AISPINE_ALLOWED_HOSTS cannot be read.
    """
    guard, find = _deployment(settings.allowed_hosts or ""), _restricted.get()
    if find is None:
        return guard
    found = find()
    return guard.restricted(only=found.only, denied=found.denied)


@functools.lru_cache(maxsize=8)
def _deployment(text: str) -> Guard:
    return Guard(allowed=hosts((part.strip() for part in text.split(",") if part.strip()), "AISPINE_ALLOWED_HOSTS"))


def hosts(entries: Iterable[str], field: str) -> Hosts:
    """Reads names, `*.name`, addresses, networks, and the words `loopback`, `private`, `public` (nothing besides).

    Raises `InvalidRequest` naming `field`.
    """
    names: set[str] = set()
    endings: list[str] = []
    networks: list[Network] = []
    for entry in (entry.strip().lower() for entry in entries):
        if entry in _WORDS:
            networks += _WORDS[entry]
        elif (network := _network(entry)) is not None:
            networks.append(network)
        elif _NAME.fullmatch(entry):
            endings.append(entry[1:]) if entry.startswith("*.") else names.add(entry.rstrip("."))
        else:
            raise InvalidRequest(
                f"{field} names `{entry[:100]}`, which is no host, address or network",
                field=field,
                hint="For example: agents.internal, *.example.com, 10.1.0.0/16, loopback.",
            )
    return Hosts(names=frozenset(names), endings=tuple(endings), networks=tuple(networks))


_WORDS: Final = {LOOPBACK: address.LOOPBACK, PRIVATE: address.PRIVATE, PUBLIC: ()}
_NAME: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _fits(listed: Hosts, host: str, found: Address) -> bool:
    return listed.names_host(host) or listed.holds(found)
