"""Named points at which a test may kill the process. A no-op unless CORPUS_CRASH_AT or CORPUS_CRASH_LOG is set.

CORPUS_CRASH_AT: the number of the point (1-based, in the order of passing) at which the process kills itself with SIGKILL.
CORPUS_CRASH_LOG: a file to which every point that is passed is appended as `<number> <name>`.
"""

from __future__ import annotations

import os
import signal
import threading

_crash_at = int(os.environ.get("CORPUS_CRASH_AT") or "0")
_log = os.environ.get("CORPUS_CRASH_LOG")
_armed = bool(_crash_at or _log)
_passed = 0
_lock = threading.Lock()


def point(name: str) -> None:
    """Pass the point `name`; die here when the environment says so."""
    if _armed:
        _pass(name)


def _pass(name: str) -> None:
    global _passed
    with _lock:
        _passed += 1
        if _log:
            descriptor = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(descriptor, f"{_passed} {name}\n".encode())
            os.close(descriptor)
        if _passed == _crash_at:
            os.kill(os.getpid(), signal.SIGKILL)
