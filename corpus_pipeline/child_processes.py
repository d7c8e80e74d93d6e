"""Child processes that end with us, and their end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

_PR_SET_PDEATHSIG = 1


def end(children: Iterable[subprocess.Popen[Any]], grace_seconds: float | None = None) -> None:
    """Ask processes to end (SIGTERM), and wait for all of them.

    grace_seconds: after which a process is killed; None waits as long as it takes."""
    asked = list(children)
    for child in asked:
        child.terminate()
    for child in asked:
        with suppress(subprocess.TimeoutExpired):
            _wait(child, grace_seconds)
        if child.poll() is None:
            child.kill()
            child.wait()


def _wait(child: subprocess.Popen[Any], seconds: float | None) -> None:
    """Read on to the end of its pipes, so that a child that still writes can end."""
    child.communicate(timeout=seconds)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, some of which may have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def end_with_parent() -> None:
    """For `preexec_fn`: the kernel ends this process (SIGTERM) when its parent ends, however it ends (Linux)."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a parent that was started with it ignored hands that on
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
