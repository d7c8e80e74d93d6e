"""The rule pass in several processes: started as `python -c`, fed through pipes, gone when their parent is.

Not multiprocessing: its processes import the program that was started (a command line, a whole orchestrator), which
takes longer than cleaning 10,000 rows; ours import what cleaning needs and nothing else. A message is a length (8 bytes,
little endian) and that many bytes of `marshal`: plain values only, both ends are the same interpreter.
"""

from __future__ import annotations

import marshal
import os
import pickle
import struct
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from corpus_pipeline.errors import StopJob
from corpus_pipeline.jobs.cleaning import CleanWorker, Page, Verdicts
from corpus_pipeline.jobs.collecting import rare_collection
from corpus_pipeline.model import TaskId
from corpus_pipeline.recipe import CleanSection

# below this many rows processes cost more than they save: each needs most of a second to start
PROCESSES_FROM_ROWS = 15_000
_MOST_PROCESSES = 8
_SLICES = 4  # of a page, so that all processes are busy with the first one already
_PAGES_AHEAD = 2

_PACKAGES = str(Path(__file__).resolve().parents[2])
_PROGRAM = f"import sys; sys.path.insert(0, {_PACKAGES!r}); from {__name__} import serve; serve()"
_LENGTH = struct.Struct("<Q")
_DONE, _FAILED = b"\x01", b"\x00"


@contextmanager
def verdicts_of(section: CleanSection, task_id: TaskId, rows: int) -> Iterator[InProcess | Processes]:
    """What gives the verdicts on pages, by as many processes as fit the machine and the work."""
    number = min(_processors(), _MOST_PROCESSES)
    if rows < PROCESSES_FROM_ROWS or number == 1:
        yield InProcess(section, task_id)
        return
    with closing_processes(section, task_id, number) as cleaner:
        yield cleaner


@contextmanager
def closing_processes(section: CleanSection, task_id: TaskId, number: int) -> Iterator[Processes]:
    """As many processes as said."""
    cleaner = Processes(section, task_id, number)
    try:
        yield cleaner
    finally:
        cleaner.close()


class InProcess:
    """Computes when asked."""

    def __init__(self, section: CleanSection, task_id: TaskId) -> None:
        self._worker = CleanWorker(section, task_id)

    def map(self, pages: Iterable[Page]) -> Iterator[tuple[Page, Verdicts]]:
        """Each page with its verdicts, in order."""
        for page in pages:
            yield page, self._worker(page)


class Processes:
    """Computes ahead in processes, each with a thread here that feeds it and waits for it."""

    def __init__(self, section: CleanSection, task_id: TaskId, number: int) -> None:
        self.children = [_start(section, task_id) for _ in range(number)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for child in self.children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="cleaning")

    def map(self, pages: Iterable[Page]) -> Iterator[tuple[Page, Verdicts]]:
        """Each page with its verdicts, in order; the next pages are read and computed meanwhile."""
        waiting: deque[tuple[Page, list[Future[bytes]]]] = deque()
        for page in pages:
            waiting.append((page, [self._threads.submit(self._ask, part) for part in page.slices(_SLICES)]))
            if len(waiting) >= _PAGES_AHEAD:
                yield _joined(*waiting.popleft())
        while waiting:
            yield _joined(*waiting.popleft())

    def _ask(self, page: Page) -> bytes:
        child = self._idle.get()
        try:
            assert child.stdin is not None and child.stdout is not None
            _send(child.stdin, marshal.dumps((list(page.heads), list(page.turns))))
            return _receive(child.stdout)
        except (OSError, EOFError) as error:
            raise StopJob(
                f"a cleaning process ended before its answer (exit status {child.wait()}; a negative one is a signal,"
                " and -9 usually means that memory ran out). Run the same command again: it continues."
            ) from error
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """End the processes, whatever they do."""
        for child in self.children:
            child.terminate()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for child in self.children:
            child.communicate()


def _joined(page: Page, parts: list[Future[bytes]]) -> tuple[Page, Verdicts]:
    whole = Verdicts([], [], 0)
    for part in parts:
        answer = part.result()
        if not answer.startswith(_DONE):
            raise RuntimeError(f"in a cleaning process: {answer[1:].decode()}")
        rows, turns, dropped = marshal.loads(memoryview(answer)[1:])
        whole.rows.extend(rows)
        whole.turns.extend(turns)
        whole = whole._replace(dropped=whole.dropped + dropped)
    return page, whole


def _start(section: CleanSection, task_id: TaskId) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for the parent, which ends them when it has finished its batch
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert child.stdin is not None
    _send(child.stdin, pickle.dumps((section, task_id)))
    return child


def serve() -> None:
    """The life of a process: its task, then pages until the pipe ends, which it does with the parent."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        worker = CleanWorker(*pickle.loads(_receive(requests)))
        with rare_collection():
            while True:
                _send(answers, _answer(worker, _receive(requests)))
    except (EOFError, BrokenPipeError):
        os._exit(0)


def _answer(worker: CleanWorker, request: bytes) -> bytes:
    try:
        return _DONE + marshal.dumps(tuple(worker(Page(*marshal.loads(request)))))
    except Exception:
        return _FAILED + traceback.format_exc().encode()


def _send(stream: IO[bytes], body: bytes) -> None:
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    return _whole(stream, _LENGTH.unpack(_whole(stream, _LENGTH.size))[0])


def _whole(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
