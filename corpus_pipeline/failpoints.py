"""Named points at which a test may end the process. A no-op unless it is armed, by the environment or by `arm`.

CORPUS_CRASH_AT: `name#k` (the k-th passing of the point `name`, 1 is the first) or a number (the n-th point of all): where
  the process kills itself with SIGKILL. It dies in front of what follows the point, with no clean-up at all.
CORPUS_CRASH_HOW: `stop` freezes it there instead (SIGSTOP), until somebody sends SIGCONT.
CORPUS_CRASH_LOG: a file to which every point that is passed is appended as one line `name#k`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[str] = Counter()
_at = os.environ.get("CORPUS_CRASH_AT") or ""
_log = os.environ.get("CORPUS_CRASH_LOG") or ""
_signals = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_how = os.environ.get("CORPUS_CRASH_HOW") or "kill"


def arm(at: str = "", log: str = "", how: str = "kill") -> None:
    """From now on die at `at` and write the points that are passed to `log`; empty: do not. Counts begin again."""
    global _at, _log, _how
    with _lock:
        _at, _log, _how = at, log, how
        _counts.clear()


def point(name: str) -> None:
    """Pass the point `name`; die here when it was asked for."""
    if _at or _log:
        _pass(name)


def _pass(name: str) -> None:
    with _lock:
        _counts[name] += 1
        key = f"{name}#{_counts[name]}"
        if _log:
            descriptor = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(descriptor, f"{key}\n".encode())
            os.close(descriptor)
        if _at in (key, str(_counts.total())):
            # to this thread: a signal for the process may be taken by another one while this one goes on
            signal.pthread_kill(threading.get_ident(), _signals[_how])
