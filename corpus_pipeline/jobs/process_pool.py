"""Pure functions computed in several processes: started as `python -c`, fed through pipes, gone when their parent is.

Not multiprocessing: its processes import the program that was started (a command line, a whole orchestrator), which
takes longer than cleaning 10,000 rows; ours import what they are given to do and nothing else. A message is a length (8
bytes, little endian), a kind (1 byte) and that many bytes: `pickle` for what to do, `marshal` for requests and answers,
which are plain values only; both ends are the same interpreter.

To start a process takes a third of a second: a stage that leaves a processor free can have them started for the next.
"""

from __future__ import annotations

import atexit
import fcntl
import marshal
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from corpus_pipeline import child_processes
from corpus_pipeline.error_words import in_words
from corpus_pipeline.errors import StopJob
from corpus_pipeline.jobs.gc_tuning import rare_collection
from corpus_pipeline.plain_text import filtered_streams

T = TypeVar("T")
Values = tuple[Any, ...]

SPARE_SECONDS = 3.0
_MOST_PROCESSES = 8
_PIPE_BYTES = 1 << 20  # of a few turns of both ends, not of one for each 64 KiB
_AHEAD = 2  # items that are computed while one is taken

_PACKAGES = str(Path(__file__).resolve().parents[2])
_PROGRAM = f"import sys; sys.path.insert(0, {_PACKAGES!r}); from {__name__} import serve; serve()"
_HEAD = struct.Struct("<Qc")
_WORKER, _MODULE, _REQUEST = b"w", b"m", b"r"
_DONE, _FAILED = b"\x01", b"\x00"


def _most() -> int:
    return min(processors(), _MOST_PROCESSES)


def processors() -> int:
    """How many processes have a processor to run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def computing(
    worth_it: bool, worker: Callable[..., Callable[..., Values]], *args: Any
) -> Iterator[InProcess | Processes]:
    """What computes `worker(*args)(*request)`: as many processes as fit the machine, or this one unless it is worth it.

    worker: a class or function of a module's top level. Requests and answers are tuples of plain values.
    """
    number = _most()
    if not worth_it or number == 1:
        yield InProcess(worker(*args))
        return
    with several(number, worker, *args) as processes:
        yield processes


@contextmanager
def several(number: int, worker: Callable[..., Callable[..., Values]], *args: Any) -> Iterator[Processes]:
    """As many processes as said."""
    processes = Processes(_taken(number), worker, args)
    try:
        yield processes
    finally:
        processes.close()


def have_ready(module: str) -> None:
    """Start the processes that the next stage will need, with the module of its worker; they wait a little for it."""
    number = _most()
    if number == 1:
        return
    children = _taken(number)
    for child in children:
        with suppress(OSError):
            _send(child.stdin, _MODULE, module.encode())
    _keep(children)


class InProcess:
    """Computes when asked."""

    def __init__(self, worker: Callable[..., Values]) -> None:
        self._worker = worker

    def map(self, items: Iterable[T], requests: Callable[[T], Iterable[Values]]) -> Iterator[tuple[T, list[Values]]]:
        """Each item with the answers to its requests, in order."""
        for item in items:
            yield item, [self._worker(*request) for request in requests(item)]


class Processes:
    """Computes ahead in processes, each with a thread here that feeds it and waits for it."""

    def __init__(
        self, children: list[subprocess.Popen[bytes]], worker: Callable[..., Callable[..., Values]], args: Values
    ) -> None:
        self.children = children
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for child in children:
            with suppress(OSError):  # it has ended: anyone who asks it will say so
                _send(child.stdin, _WORKER, pickle.dumps((worker, args)))
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(len(children), thread_name_prefix="computing")

    def map(self, items: Iterable[T], requests: Callable[[T], Iterable[Values]]) -> Iterator[tuple[T, list[Values]]]:
        """Each item with the answers to its requests, in order; the next items are read and computed in the meantime."""
        waiting: deque[tuple[T, list[Future[bytes]]]] = deque()
        for item in items:
            waiting.append((item, [self._threads.submit(self._ask, request) for request in requests(item)]))
            if len(waiting) >= _AHEAD:
                yield self._answers(*waiting.popleft())
        while waiting:
            yield self._answers(*waiting.popleft())

    def _answers(self, item: T, parts: list[Future[bytes]]) -> tuple[T, list[Values]]:
        answers = []
        for part in parts:
            answer = part.result()
            if not answer.startswith(_DONE):
                raise StopJob(f"in a process that computes: {answer[1:].decode()}. The same command goes on there.")
            answers.append(marshal.loads(memoryview(answer)[1:]))
        return item, answers

    def _ask(self, request: Values) -> bytes:
        child = self._idle.get()
        try:
            _send(child.stdin, _REQUEST, marshal.dumps(tuple(request)))
            return _receive(child.stdout)[1]
        except (OSError, EOFError) as error:
            raise StopJob(
                f"a computing process ended before its answer (exit status {child.wait()}; a negative one is a signal,"
                " and -9 usually means that memory ran out). Run the same command again: it continues."
            ) from error
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """End the processes, whatever they do."""
        for child in self.children:
            child.terminate()
        self._threads.shutdown(wait=True, cancel_futures=True)
        child_processes.end(self.children)


_spare: list[subprocess.Popen[bytes]] = []
_lock = threading.Lock()
_timer: threading.Timer | None = None


def _taken(number: int) -> list[subprocess.Popen[bytes]]:
    with _lock:
        alive = [child for child in _spare if child.poll() is None]
        children, _spare[:] = alive[:number], alive[number:]
    return children + [_start() for _ in range(number - len(children))]


def _keep(children: list[subprocess.Popen[bytes]]) -> None:
    global _timer
    with _lock:
        _spare.extend(children)
        if _timer is not None:
            _timer.cancel()
        _timer = threading.Timer(SPARE_SECONDS, end_spare)
        _timer.daemon = True
        _timer.start()


@atexit.register
def end_spare() -> None:
    """End the processes that wait for work."""
    with _lock:
        children, _spare[:] = list(_spare), []
    child_processes.end(children)


def _start() -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for the parent, which ends them when it has finished its batch
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        with suppress(OSError):  # the system may allow less
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return child


def serve() -> None:
    """The life of a process: what to do, and requests, until the pipe ends, which it does with the parent."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        kind, body = _receive(requests)
        while kind == _MODULE:
            import_module(body.decode())
            kind, body = _receive(requests)
        worker, args = pickle.loads(body)
        compute = worker(*args)
        with rare_collection(), filtered_streams():
            while True:
                _send(answers, _REQUEST, _answer(compute, _receive(requests)[1]))
    except (EOFError, BrokenPipeError):
        os._exit(0)


def _answer(compute: Callable[..., Values], request: bytes) -> bytes:
    try:
        return _DONE + marshal.dumps(tuple(compute(*marshal.loads(request))))
    except Exception as error:
        return _FAILED + in_words(error).encode()


def _send(stream: IO[bytes] | None, kind: bytes, body: bytes) -> None:
    assert stream is not None
    stream.write(_HEAD.pack(len(body), kind))
    stream.write(body)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> tuple[bytes, bytes]:
    assert stream is not None
    size, kind = _HEAD.unpack(_whole(stream, _HEAD.size))
    return kind, _whole(stream, size)


def _whole(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found
