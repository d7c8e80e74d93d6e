"""The process that reads answers: it says what a direct call says, and keeps every answer, but no key, in a file."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from corpus_pipeline import process_identity
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm.client import RESPONSE_CAP_BYTES, ModelClient
from corpus_pipeline.llm.endpoint import Endpoint, endpoint
from corpus_pipeline.llm.failures import CallFailed, Failure, Reason
from corpus_pipeline.llm.reader import awaited as waits
from corpus_pipeline.llm.reader import left
from corpus_pipeline.llm.reader.awaited import awaited
from corpus_pipeline.llm.reader.channel import Channel
from corpus_pipeline.llm_stub import RunningStub
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.model import Answer
from corpus_pipeline_tests.llm.conftest import KEY, ask
from corpus_pipeline_tests.llm.test_client import FAILURES


def reading(
    where: Endpoint,
    spool: Path,
    work: Callable[[Channel, ModelClient], Awaitable[None]],
    *,
    cap: int = RESPONSE_CAP_BYTES,
) -> None:
    """Work with a reader of task 3 and a client that uses it."""

    async def main() -> None:
        reader = Channel(spool, 3, [where], connections=8, response_cap_bytes=cap)
        assert await reader.start()
        try:
            async with ModelClient(where, reader=reader) as client:
                await work(reader, client)
        finally:
            await reader.close()

    asyncio.run(main())


async def asked(client: ModelClient, text: str = "What is 2 + 2?", name: str = "a", deadline: float = 30.0) -> Any:
    """The answer, or the failure."""
    try:
        return await client.complete(ask(text), attempt_id=name, attempt=1, deadline_seconds=deadline)
    except CorpusError as error:
        return error.failure


def test_every_fault_is_what_it_is_without_it(stub: RunningStub, tmp_path: Path) -> None:
    where = endpoint(stub.base_url, KEY)

    async def work(reader: Channel, client: ModelClient) -> None:
        async with ModelClient(where) as direct:
            for fault, *_ in [(None, None), *FAILURES]:
                stub.meet(**({fault: 1.0} if fault else {}))
                deadline = 0.3 if fault in (Fault.TIMEOUT, Fault.TRICKLE) else 30.0
                found, wanted = await asked(client, deadline=deadline), await asked(direct, deadline=deadline)
                if isinstance(wanted, Failure):
                    found, wanted = (
                        one._replace(request_id=None, retry_after=one.retry_after and 1) for one in (found, wanted)
                    )
                else:
                    found, wanted = (
                        one._replace(provider_request_id=None, response_id=None) for one in (found, wanted)
                    )
                assert found == wanted, fault
                reader.settled(["a"])

    reading(where, tmp_path / "spool", work)
    assert list((tmp_path / "spool").iterdir()) == []


def test_an_answer_is_in_a_file_until_it_is_settled_and_no_key_is(stub: RunningStub, tmp_path: Path) -> None:
    spool = tmp_path / "spool"

    async def work(reader: Channel, client: ModelClient) -> None:
        answers = await asyncio.gather(*(asked(client, f"Sum {n} and {n}.", f"a{n}") for n in range(20)))
        assert all(isinstance(answer, Answer) for answer in answers) and reader.keeps("a7")
        kept = {one.attempt_id: one for one in left.answers(left.files(spool, 3))}
        assert set(kept) == {f"a{n}" for n in range(20)}
        assert kept["a7"].style == "openai" and b"corpus-stub" in kept["a7"].content and kept["a7"].request_id
        reader.settled([f"a{n}" for n in range(20) if n != 13])
        for path in spool.iterdir():
            assert KEY.encode() not in path.read_bytes() and stat.S_IMODE(path.stat().st_mode) == 0o600
        assert awaited(spool) is None, "its worker lives"

    reading(endpoint(stub.base_url, KEY), spool, work)
    (path,) = spool.iterdir()  # the thirteenth was not committed: the next start takes it in
    assert "a13" in {one.attempt_id for one in left.answers([path])}


def test_a_call_is_cut_off_at_its_deadline_and_when_it_is_given_up(stub: RunningStub, tmp_path: Path) -> None:
    stub.meet(**{Fault.TIMEOUT: 1.0})

    async def work(reader: Channel, client: ModelClient) -> None:
        begun = time.monotonic()
        assert (await asked(client, deadline=0.2)).reason is Reason.TIMEOUT
        assert time.monotonic() - begun < 4, "the reader keeps the deadline, not the guard behind it"
        task = asyncio.create_task(asked(client, deadline=60))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    reading(endpoint(stub.base_url, KEY), tmp_path / "spool", work)


def test_an_answer_that_is_too_long_is_refused_there(stub: RunningStub, tmp_path: Path) -> None:
    async def work(reader: Channel, client: ModelClient) -> None:
        found = await asked(client)
        assert (found.reason, found.maybe_billed) == (Reason.BROKEN_BODY, True)

    reading(endpoint(stub.base_url, KEY), tmp_path / "spool", work, cap=100)


def test_where_it_dies_its_calls_are_lost_and_the_worker_calls_itself(stub: RunningStub, tmp_path: Path) -> None:
    stub.meet(**{Fault.TIMEOUT: 1.0})

    async def work(reader: Channel, client: ModelClient) -> None:
        task = asyncio.create_task(asked(client, deadline=60))
        await asyncio.sleep(0.3)
        (process,) = [
            child for child in psutil.Process().children() if "corpus_pipeline.llm.reader.process" in child.cmdline()
        ]
        assert os.getsid(process.pid) != os.getsid(0), "what ends our session does not end it"
        process.send_signal(signal.SIGTERM)  # which it leaves to its worker
        await asyncio.sleep(0.2)
        assert not task.done()
        process.kill()
        found = await task
        assert (found.reason, found.maybe_billed) == (Reason.DROPPED, True) and not reader.is_open
        stub.meet()
        assert isinstance(await asked(client), Answer)

    reading(endpoint(stub.base_url, KEY), tmp_path / "spool", work)


def test_a_reader_is_waited_for_when_its_worker_is_dead_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "_MOST_SECONDS", 0.3)
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = str(process_identity.parsed(process_identity.own())._replace(pid=worker.pid, born=born(worker.pid)))
    lock = left.Lock(tmp_path, "3-1-x", name)
    assert list(waits.waiting(tmp_path, 3)) == [], "its worker lives"
    worker.kill()
    worker.wait()
    assert list(waits.waiting(tmp_path, 33)) == []
    assert {known.calls for known in waits.waiting(tmp_path, 3)} == {0}, (
        "it is waited for, though it does not say for what"
    )
    lock.say(7, time.time() + 60)
    assert {known.calls for known in waits.waiting(tmp_path)} == {7}
    lock.say(7, time.time() - 60)
    assert list(waits.waiting(tmp_path)) == []
    lock.close()
    assert list(tmp_path.iterdir()) == []


def born(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_where_nothing_can_be_written_there_is_none(stub: RunningStub, tmp_path: Path) -> None:
    where, blocked = endpoint(stub.base_url, KEY), tmp_path / "file"
    blocked.write_text("no folder")

    async def main() -> None:
        reader = Channel(blocked / "spool", 3, [where], connections=8, response_cap_bytes=1 << 20)
        assert not await reader.start()
        async with ModelClient(where, reader=reader) as client:
            assert isinstance(await asked(client), Answer)

    asyncio.run(main())


def test_a_host_that_may_not_be_called_is_refused_there_too(tmp_path: Path) -> None:
    where = endpoint("https://localhost.example.invalid/v1", KEY)

    async def work(reader: Channel, client: ModelClient) -> None:
        with pytest.raises(CallFailed) as caught:
            await client.complete(ask("?"), attempt_id="a", attempt=1, deadline_seconds=20.0)
        assert caught.value.failure.reason is Reason.UNREACHABLE and not caught.value.failure.maybe_billed

    reading(where, tmp_path / "spool", work)
