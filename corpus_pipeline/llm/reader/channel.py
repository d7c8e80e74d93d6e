"""The worker's side of a reader."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus_pipeline import process_identity
from corpus_pipeline.errors import ProviderRefused
from corpus_pipeline.llm.connections import Reply
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.llm.reader import frames

log = logging.getLogger(__name__)

_START_SECONDS = 30.0
_END_SECONDS = 5.0


class Channel:
    """A reader of one worker on one task; use in one event loop: `start`, then `call`, then `close`.

    spool: the folder of its files. connections: the most calls at once at one endpoint.
    """

    def __init__(
        self, spool: Path, task_id: int, places: Sequence[Endpoint], *, connections: int, response_cap_bytes: int
    ) -> None:
        self._places = {id(where): number for number, where in enumerate(places)}
        prefix = f"{task_id}-{os.getpid()}-{os.urandom(4).hex()}"
        self._said = [
            str(spool.absolute()),
            prefix,
            process_identity.own(),
            [asdict(where) for where in places],
            connections,
            response_cap_bytes,
        ]
        self._wire = frames.Wire(self._got, self._lost)
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[tuple[Reply, int]]] = {}
        self._count = 0
        self._marks: dict[str, int] = {}  # of answers that are not committed, by attempt, in the order of their arrival
        self._last = self._told = 0
        self._is_closing = False
        self.is_open = False

    async def start(self) -> bool:
        """Start the process; returns whether it reads. Where it cannot, the worker reads for itself."""
        loop = asyncio.get_running_loop()
        own, other = socket.socketpair()
        command = [sys.executable, "-m", "corpus_pipeline.llm.reader.process", str(other.fileno())]
        try:
            with other:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,  # a pipe of the worker's would stay open behind its end
                    stderr=subprocess.DEVNULL,
                    pass_fds=[other.fileno()],
                    start_new_session=True,
                )
            await loop.create_unix_connection(lambda: self._wire, sock=own)
            self._wire.send([frames.OPEN, *self._said])
            async with asyncio.timeout(_START_SECONDS):
                await self._ready
        except (OSError, TimeoutError) as error:
            log.warning("answers are read by the worker itself, for its reader does not start: %s", error)
            await self.close()
            return False
        self.is_open = True
        return True

    async def call(
        self, where: Endpoint, url: str, headers: Mapping[str, str], content: bytes, *, seconds: float, note: list[Any]
    ) -> Reply:
        """One POST; note: the first four fields of `left.Arrived`. Raises what its failure is."""
        self._count = number = self._count + 1
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._wire.send([frames.CALL, number, self._places[id(where)], url, dict(headers), seconds, note], content)
        try:
            reply, mark = await waiting
        except asyncio.CancelledError:
            self._wire.send([frames.STOP, number])
            raise
        finally:
            self._waiting.pop(number, None)
        if mark:
            self._marks[note[0]] = self._last = mark
        return reply

    def keeps(self, attempt_id: str) -> bool:
        """Whether the answer of an attempt is in a file."""
        return attempt_id in self._marks

    def settled(self, attempt_ids: Iterable[str]) -> None:
        """The answers of these attempts are committed, or worth nothing."""
        for attempt_id in attempt_ids:
            self._marks.pop(attempt_id, None)
        upto = next(iter(self._marks.values())) - 1 if self._marks else self._last
        if upto > self._told:
            self._told = upto
            self._wire.send([frames.SETTLED, upto])

    async def close(self) -> None:
        """Dismiss the reader: calls that are out are given up, what is not settled stays for the next start."""
        self._is_closing, self.is_open = True, False
        self._wire.send([frames.END])
        self._wire.close()
        if self._process is not None:
            await asyncio.to_thread(self._end, self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
            return
        process.kill()
        process.wait()

    def _got(self, said: list[Any], content: bytes) -> None:
        match said:
            case [frames.REPLY, int(number), int(status), dict(headers), int(mark)]:
                self._answer(number, (Reply(status, headers, content), mark))
            case [frames.FAILED, int(number), list(failure)]:
                self._answer(number, Failure(Reason(failure[0]), *failure[1:]).error())
            case [frames.REFUSED, 0, str(words)]:
                self._ready.set_exception(OSError(words))
            case [frames.REFUSED, int(number), str(words)]:
                self._answer(number, ProviderRefused(words))
            case [frames.READY]:
                self._ready.set_result(None)

    def _answer(self, number: int, outcome: tuple[Reply, int] | Exception) -> None:
        waiting = self._waiting.get(number)
        if waiting is None or waiting.done():
            return
        if isinstance(outcome, Exception):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    def _lost(self) -> None:
        """The reader has ended: calls in flight are lost with it, the next ones go out from here."""
        if not self._ready.done():
            self._ready.set_exception(OSError("its process ended"))
        if self._is_closing:
            return
        self.is_open = False
        log.warning("the process that reads answers ended; from now on the worker reads them itself")
        for number in list(self._waiting):
            self._answer(number, Failure(Reason.DROPPED, "the reader of answers ended", maybe_billed=True).error())
