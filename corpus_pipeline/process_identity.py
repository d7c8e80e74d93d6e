"""Process identity: a name for this process that no later one repeats, and whether the process of such a name has ended.

A process is named by its host, its place (boot and process namespace: what has the same place sees the same processes), its id
and its time of birth in ticks since boot, which no step of a clock moves. Of another place nothing can be seen: there the
heartbeat decides.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from corpus_pipeline import __version__
from corpus_pipeline.settings import host_name

_PARTS = 5
_GONE_STATES = frozenset({"Z", "X", "x"})


class Identity(NamedTuple):
    """The parts of an owner's name."""

    host: str
    pid: int
    place: str
    born: str
    nonce: str

    def __str__(self) -> str:
        return ":".join(str(part) for part in self)

    @property
    def words(self) -> str:
        """The process for people."""
        return f"process {self.pid} on {self.host}"


def own() -> str:
    """A name for a holder in this process; each call gives another one."""
    pid = os.getpid()
    return str(Identity(host_name(), pid, _place(), _born(pid) or "", uuid.uuid4().hex[:8]))


def words() -> str:
    """This process for people: its host, its id and the version of this program."""
    return f"{host_name()}, process {os.getpid()}, version {__version__}"


def parsed(name: str) -> Identity | None:
    """The parts of a name; None for one of another make."""
    parts = name.split(":")
    if len(parts) != _PARTS or not parts[1].isdecimal():
        return None
    return Identity(parts[0], int(parts[1]), *parts[2:])


def in_words(name: str) -> str:
    """The name of a holder for people."""
    identity = parsed(name)
    return name if identity is None else identity.words


def is_here(name: str) -> bool:
    """Whether the process of this name could be seen from here."""
    identity = parsed(name)
    return identity is not None and identity.place == _place()


def is_gone(name: str) -> bool:
    """Whether the process of this name is seen to be gone. False for what lives, and for what cannot be seen from here."""
    identity = parsed(name)
    return identity is not None and identity.place == _place() and _born(identity.pid) != identity.born


@lru_cache(maxsize=1)
def _place() -> str:
    parts = [host_name()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _born(pid: int) -> str | None:
    """When a process was born; None when there is none, or only its exit status is left."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in _GONE_STATES else fields[19]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
    import psutil  # only where there is no /proc

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    return None
