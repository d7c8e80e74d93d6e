"""Which addresses a connection may go to: a name is resolved once, every address is checked, and one of them is connected to.

A name that is looked up again after it was checked may point elsewhere by then (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket

from corpus_pipeline.errors import ControlFlow

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# the addresses at which clouds hand out credentials, beside 169.254.169.254, which is link-local
_METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})

# addresses that hold another one and belong to no server: IPv4-compatible, IPv4-translated, Teredo, NAT64 of a network's own
_TUNNELS = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "2001::/32", "64:ff9b:1::/48")))

# what `is_global` of some versions of Python lets through: relays of 6to4, site-local, documentation, segment routing
_NOT_GLOBAL = tuple(map(ipaddress.ip_network, ("192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16")))


class Forbidden(ControlFlow):
    """A name points to an address that its connections may not go to."""


def literal(host: str) -> str | None:
    """The address that a host is written as, None for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def neighbourhood(address: str) -> str:
    """What one client has at its disposal: an IPv4 address, or the /64 network of an IPv6 address, all of which is one host's.

    >>> neighbourhood("2001:db8::a:b"), neighbourhood("::ffff:192.0.2.7"), neighbourhood("fe80::1%eth0"), neighbourhood("?")
    ('2001:db8::/64', '192.0.2.7', 'fe80::/64', '?')
    """
    try:
        ip: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by what it is called: localhost, or an address of the loopback."""
    address = literal(host)
    return host == "localhost" if address is None else ipaddress.ip_address(address).is_loopback


def inside(address: str) -> Address | None:
    """The address that a connection would come to, taken out of those that hold another one; None for one to which nothing
    ever goes: link-local ones, those at which clouds hand out credentials, multicast, tunnels."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _TUNNELS) and not ip.is_loopback:
            return None
        ip = ip.ipv4_mapped or ip.sixtofour or _nat64(ip) or ip
    nobody = ip.is_link_local or ip.is_multicast or ip.is_unspecified or str(ip) in _METADATA
    return None if nobody else ip


def is_global(ip: Address) -> bool:
    """Whether an address belongs to a server of the internet.

    >>> [is_global(ipaddress.ip_address(one)) for one in ("1.1.1.1", "2606:4700::1", "10.0.0.1", "fec0::1", "192.88.99.1")]
    [True, True, False, False, False]
    """
    return ip.is_global and not any(ip.version == network.version and ip in network for network in _NOT_GLOBAL)


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def of_server(host: str, port: int, *, in_the_clear: bool) -> list[str]:
    """The addresses of a server that the operator named (a database, an object store), to connect to in this order.

    A name of this machine leads to this machine, and no other name does. in_the_clear: what is sent is protected by nothing,
    so that it goes nowhere but to this machine or to an address of one's own network. Raises Forbidden; OSError when the
    name does not resolve.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    name = host.lower().rstrip(".")
    local = is_loopback(name) or name.endswith(".localhost")  # a bucket in the host name of a store on this machine
    for address in addresses:
        ip = inside(address)
        if ip is None or ip.is_loopback is not local or (in_the_clear and is_global(ip)):
            raise Forbidden(f"{host} points to {address}, where nothing is sent")
    return addresses
