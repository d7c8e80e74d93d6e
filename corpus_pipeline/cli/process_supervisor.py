"""Running servers as children, so that nothing of them is left when we end: not the code servers, not the run workers."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, TextIO

from corpus_pipeline import child_processes
from corpus_pipeline.cli.output import say

GRACE_SECONDS = 90.0  # for answers on the wire; what is finished is kept whatever happens
_LOOK_SECONDS = 0.2
_LAST_WORDS_SECONDS = 2.0
_PR_SET_CHILD_SUBREAPER = 36


def supervise(command: Sequence[str], hide: Callable[[str], str] = str) -> int:
    """Run a command until it ends or a stop is asked for (SIGINT, SIGTERM); then end all that it started.

    The first signal lets runs stop at their next batch boundary, the second one kills. Returns the exit code of a command
    that ended by itself, else 0. hide: takes secrets out of each line that the command, or what it starts, says.
    """
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    _adopt_orphans()
    # a session of its own: Ctrl-C on the terminal must reach run workers once, not twice. Default signals: started from a
    # background shell SIGINT is ignored, and Dagster would then ignore SIGTERM too
    child = subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=_default_signals,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    speakers = [_pass_on(child.stdout, sys.stdout, hide), _pass_on(child.stderr, sys.stderr, hide)]
    try:
        while child.poll() is None and not signals:
            time.sleep(_LOOK_SECONDS)
        asked = bool(signals)
        if asked:
            say("stopping; runs that are under way stop at their next batch boundary (Ctrl-C again stops at once)")
        _end(child, signals)
        return 0 if asked else child.wait()
    finally:
        for speaker in speakers:
            speaker.join(_LAST_WORDS_SECONDS)
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_on(source: IO[str] | None, target: TextIO, hide: Callable[[str], str]) -> threading.Thread:
    """Let what a server and all that it starts say go out by our own streams, which pass plain text only."""

    def speak() -> None:
        with suppress(OSError, ValueError):  # a terminal that was closed must not stop the servers
            for line in source or ():
                target.write(hide(line))
                target.flush()
        for _ in source or ():  # read on, so that no one waits to be heard
            pass

    thread = threading.Thread(target=speak, name="words of servers", daemon=True)
    thread.start()
    return thread


def _end(child: subprocess.Popen[str], signals: list[int]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    first = len(signals)
    told: set[int] = set()
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        told.add(child.pid)
    while left := descendants(os.getpid()):
        if len(signals) > first or time.monotonic() > deadline:
            child_processes.send(left, signal.SIGKILL)
        elif child.poll() is not None:
            child_processes.send(left - told, signal.SIGTERM)
            told |= left
        time.sleep(_LOOK_SECONDS)
        child.poll()
        _reap()


def _reap() -> None:
    """Collect adopted children that have ended."""
    for pid in _children().get(os.getpid(), ()):
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def descendants(pid: int) -> set[int]:
    """All living processes below one."""
    children = _children()
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = [child for child in children.get(waiting.pop(), ()) if child not in found]
        found.update(below)
        waiting += below
    return found


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # pid (name, which may hold anything) state parent ...
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                found.setdefault(parent, []).append(int(entry.name))
    return found


def _adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
