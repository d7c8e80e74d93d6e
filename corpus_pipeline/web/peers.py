"""Which user of this machine a connection comes from: browsers send a cookie of 127.0.0.1 to every port of it, so that a server
of somebody else there can read it. The system knows whose the other end of a connection is."""

from __future__ import annotations

import ipaddress
import sys
from functools import lru_cache
from pathlib import Path

from starlette.types import Scope

_TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
_LOCAL, _REMOTE, _USER, _INODE = 1, 2, 7, 9  # columns


def user_of(scope: Scope) -> int | None:
    """The user id of the process at the other end of a connection from this machine; None where no one knows: from another
    machine, at a Unix socket, of a process that is gone, or on a system that does not tell."""
    client, server = scope.get("client"), scope.get("server")
    if not client or not server or not server[1]:
        return None
    try:
        here, there = _plain(server[0]), _plain(client[0])
    except ValueError:
        return None
    if not (there.is_loopback or here == there):
        return None
    own, other = f"{_written(there)}:{client[1]:04X}", f"{_written(here)}:{server[1]:04X}"
    try:
        with _TABLES[there.version].open("r", encoding="ascii") as table:
            for line in table:
                if own in line and other in line:
                    fields = line.split()
                    # what nobody holds any more has no inode, and would be told as root's
                    if (fields[_LOCAL], fields[_REMOTE]) == (own, other) and fields[_INODE] != "0":
                        return int(fields[_USER])
    except (OSError, ValueError, IndexError):
        return None
    return None


@lru_cache(maxsize=64)
def _plain(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(host.partition("%")[0])
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


@lru_cache(maxsize=64)
def _written(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as the tables of Linux write it: words of 32 bits in the order of this machine."""
    words = (int.from_bytes(ip.packed[at : at + 4], sys.byteorder) for at in range(0, len(ip.packed), 4))
    return "".join(f"{word:08X}" for word in words)
