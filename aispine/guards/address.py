"""Which addresses belong to the public internet, whatever form they come in."""

from __future__ import annotations

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_SITE_LOCAL: Final = ipaddress.IPv6Network("fec0::/10")


def read(text: str) -> Address:
    """Reads what the resolver says, an IPv6 zone left out. Raises `ValueError`."""
    return meant(ipaddress.ip_address(text.partition("%")[0]))


def meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for or is carried to (mapped, NAT64, 6to4), else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: Address) -> bool:
    """True for a unicast address of the public internet."""
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return address not in _LOCAL_NAT64 and address not in _SITE_LOCAL


LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))
PRIVATE: Final[tuple[Network, ...]] = (
    *LOOPBACK,
    ipaddress.IPv4Network("10.0.0.0/8"),
    ipaddress.IPv4Network("172.16.0.0/12"),
    ipaddress.IPv4Network("192.168.0.0/16"),
    ipaddress.IPv4Network("100.64.0.0/10"),
    ipaddress.IPv6Network("fc00::/7"),
)
"""What a private deployment calls its own; link-local addresses, where clouds keep secrets, are no part of it."""
