"""Locks on files, seen from other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corpus_pipeline import file_locks

_HOLDER = """
import os, sys
from corpus_pipeline import file_locks
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
getattr(file_locks, sys.argv[2])(fd)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _HOLDER, str(path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        yield holder


@pytest.mark.parametrize(
    ("how", "take"),
    [("wait_for", file_locks.take), ("wait_for_process", file_locks.take_for_process)],
)
def test_a_lock_is_held_until_its_process_is_killed(tmp_path: Path, how: str, take) -> None:
    path = tmp_path / "lock"
    with held_elsewhere(path, how) as holder:
        descriptor = os.open(path, os.O_RDWR)
        try:
            assert not take(descriptor)
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            assert take(descriptor)
        finally:
            os.close(descriptor)


def test_a_block_waits_for_the_holder_and_leaves_the_lock_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held_elsewhere(path, "wait_for") as holder:
        assert holder.stdin is not None
        holder.stdin.close()
        with file_locks.locked(path):
            assert holder.wait() == 0  # it could only be entered because the other one has ended
            other = os.open(path, os.O_RDWR)
            assert not file_locks.take(other)
        assert file_locks.take(other)
        os.close(other)


def test_a_lock_file_is_private_and_one_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with file_locks.locked(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    with pytest.raises(FileNotFoundError), file_locks.locked(tmp_path / "absent", mode=None):
        pass
    assert not (tmp_path / "absent").exists()


def test_readers_share_a_lock(tmp_path: Path) -> None:
    one, other = (os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600) for _ in range(2))
    file_locks.wait_for(one, shared=True)
    file_locks.wait_for(other, shared=True)
    third = os.open(tmp_path / "lock", os.O_RDWR)
    assert not file_locks.take(third)
    os.close(one)
    os.close(other)
    assert file_locks.take(third)
    os.close(third)


def test_a_forked_child_does_not_keep_the_lock_of_a_process(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\nfrom corpus_pipeline import file_locks\n"
        "fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)\nfile_locks.wait_for_process(fd)\n"
        "child = os.fork()\n"
        "if child: print(child, flush=True); os._exit(0)\n"
        "os.close(1); time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "lock")], stdout=subprocess.PIPE, check=True)
    descriptor = os.open(tmp_path / "lock", os.O_RDWR)
    try:
        assert file_locks.take_for_process(descriptor)
    finally:
        os.close(descriptor)
        os.kill(int(done.stdout), signal.SIGKILL)
