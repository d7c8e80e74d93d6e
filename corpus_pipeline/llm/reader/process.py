"""The reader's process: `python -m corpus_pipeline.llm.reader.process DESCRIPTOR`, started by `channel` only."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import uvloop

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm import failures
from corpus_pipeline.llm.connections import Connections
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.reader import frames, left
from corpus_pipeline.record_files import RecordFiles, Segment

# how long the calls that a dead worker left are waited for; the next start of its task waits for them, too
DRAIN_SECONDS = 120.0


class Reader:
    """Sends what the worker asks for; every answer is in a file before it is passed on."""

    def __init__(self) -> None:
        self._wire = frames.Wire(self._got, self._lost)
        self._places: list[tuple[Endpoint, Connections]] = []
        self._calls: dict[int, tuple[asyncio.Task[None], float]] = {}
        self._files: RecordFiles | None = None
        self._lock: left.Lock | None = None
        self._number = 0
        self._written: deque[tuple[int, Segment]] = deque()
        self._gone = asyncio.Event()
        self._is_dismissed = False

    async def run(self, own: socket.socket) -> None:
        """Until the worker has ended, and the calls that it left are answered."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self._wire, sock=own)
        await self._gone.wait()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 0)
        if self._is_dismissed:
            for task, _ in self._calls.values():
                task.cancel()
        elif self._calls:
            now = time.monotonic()
            seconds = min(DRAIN_SECONDS, max(ends for _, ends in self._calls.values()) - now)
            if self._lock is not None:
                self._lock.say(len(self._calls), time.time() + seconds)
            await asyncio.wait([task for task, _ in self._calls.values()], timeout=seconds)
        for _, connections in self._places:
            await connections.close()
        if self._files is not None:
            self._files.close()
        if self._lock is not None:
            self._lock.close()

    def _lost(self) -> None:
        self._gone.set()

    def _got(self, said: list[Any], content: bytes) -> None:
        match said:
            case [frames.CALL, int(number), int(place), str(url), dict(headers), float(seconds), list(note)]:
                call = self._call(number, place, url, headers, content, seconds, note)
                self._calls[number] = asyncio.get_running_loop().create_task(call), time.monotonic() + seconds
            case [frames.SETTLED, int(number)]:
                self._settled(number)
            case [frames.STOP, int(number)]:
                if number in self._calls:
                    self._calls[number][0].cancel()
            case [frames.OPEN, str(folder), str(prefix), str(worker), list(endpoints), int(most), int(cap)]:
                self._open(Path(folder), prefix, worker, endpoints, most, cap)
            case [frames.END]:
                self._is_dismissed = True

    def _open(
        self, folder: Path, prefix: str, worker: str, endpoints: list[dict[str, Any]], most: int, cap: int
    ) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = left.Lock(folder, prefix, worker)
        except OSError as error:
            self._wire.send([frames.REFUSED, 0, f"{folder}: {error.strerror}"])
            return
        self._files = RecordFiles(folder, prefix, left.SUFFIX)
        for plain in endpoints:
            where = Endpoint(**plain | {"headers": tuple(map(tuple, plain["headers"]))})
            self._places.append((where, Connections(where, most=most, cap_bytes=cap)))
        self._wire.send([frames.READY])

    async def _call(
        self,
        number: int,
        place: int,
        url: str,
        headers: dict[str, str],
        content: bytes,
        seconds: float,
        note: list[Any],
    ) -> None:
        where, connections = self._places[place]
        begun = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                reply = await connections.request("POST", url, headers, content)
            mark = 0
            if reply.is_success:
                told = [*note, int((time.monotonic() - begun) * 1000), left.request_id(reply.headers)]
                mark = self._keep(told, reply.content)
            self._wire.send([frames.REPLY, number, reply.status, reply.headers, mark], reply.content)
        except CorpusError as error:
            failure = failures.of_call(error, secrets=left.secrets(where))
            if failure is None:
                self._wire.send([frames.REFUSED, number, str(error)])
            else:
                self._wire.send([frames.FAILED, number, list(failure)])
        except Exception as error:
            failure = failures.of_call(error, secrets=left.secrets(where))
            if failure is None:  # a fault of ours: as if the wire had broken
                failure = failures.of_call(ConnectionError(type(error).__name__))
            assert failure is not None
            self._wire.send([frames.FAILED, number, list(failure)])
        finally:
            self._calls.pop(number, None)

    def _keep(self, note: list[Any], content: bytes) -> int:
        """Write an answer down; returns its mark, 0 where it cannot be."""
        assert self._files is not None
        try:
            segment = self._files.append(*left.record(note, content))
        except OSError:
            return 0
        self._number += 1
        self._written.append((self._number, segment))
        return self._number

    def _settled(self, number: int) -> None:
        """All answers up to this mark are committed, or worth nothing."""
        done = []
        while self._written and self._written[0][0] <= number:
            done.append(self._written.popleft()[1])
        if done and self._files is not None:
            self._files.done(done)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # a signal to the process group ends the worker, too, and that ends us
    own = socket.socket(fileno=int(sys.argv[1]))
    os.chdir("/")

    async def run() -> None:
        await Reader().run(own)

    uvloop.run(run())


if __name__ == "__main__":
    main()
