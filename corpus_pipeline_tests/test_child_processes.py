"""Children that end: asked, killed, or with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from corpus_pipeline import child_processes

_READY = "print('ready', flush=True)\n"


def _child(body: str) -> subprocess.Popen[str]:
    # as a shell starts it, whatever the process that runs the tests ignores
    heeding = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\n{body}"
    child = subprocess.Popen([sys.executable, "-c", heeding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    return child


def test_children_are_asked_first_and_killed_after_the_grace() -> None:
    willing = _child(f"import time\n{_READY}time.sleep(600)")
    deaf = _child(f"import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{_READY}time.sleep(600)")
    child_processes.end([willing, deaf], grace_seconds=0.5)
    assert (willing.returncode, deaf.returncode) == (-signal.SIGTERM, -signal.SIGKILL)


def test_a_child_that_still_writes_is_read_to_its_end() -> None:
    """A full pipe would keep it for ever."""
    body = (
        "import os, signal, sys, time\n"
        # past the buffer of `print`, which may still be in use when the signal comes
        "def last_words(*_):\n    os.write(1, b'x' * 1_000_000); sys.exit(3)\n"
        f"signal.signal(signal.SIGTERM, last_words)\n{_READY}time.sleep(600)"
    )
    child = _child(body)
    child_processes.end([child])
    assert child.returncode == 3


def test_ending_what_has_ended_is_nothing() -> None:
    child = _child(_READY)
    child.wait()
    child_processes.end([child])
    child_processes.send([child.pid], signal.SIGKILL)  # its number is free: nothing to send to
    assert child.returncode == 0


def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    script = (
        "import signal, subprocess, sys, time\nfrom corpus_pipeline import child_processes\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"  # as some launchers do
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " stdout=subprocess.DEVNULL, preexec_fn=child_processes.end_with_parent)\n"
        "print(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    orphan = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    for _ in range(600):
        if not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    os.kill(orphan.pid, signal.SIGKILL)
    pytest.fail("the child outlived its parent")
