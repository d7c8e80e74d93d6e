"""Tests of the model side talk to the real stand-in over HTTP, in a thread of this process, on a free port."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.llm_stub import RunningStub, StubOptions, running
from corpus_pipeline.model import Answer, Request

KEY = "sk-canary-5f2c9d7b1e8a4c60"


def ask(text: str, *, model: str = "corpus-stub", most: int = 500, **rest: Any) -> Request:
    """A request in the contract of our prompts: a paraphrase of `text`."""
    fence = "0123456789abcdef" * 2
    user = f"[[begin source_prompt {fence}]]\n{text}\n[[end source_prompt {fence}]]\nOutput: json prompt"
    system = "Task: paraphrase\nStep: rewrite\n\nSay it in other words."
    messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
    return Request(model, messages, most, **rest)


def call(stub: RunningStub, request: Request, *, attempt: int = 1, deadline: float = 5.0, **client: Any) -> Answer:
    """One call with a client of its own."""

    async def one() -> Answer:
        async with ModelClient(endpoint(stub.base_url, KEY), **client) as model:
            return await model.complete(request, attempt_id="a-1", attempt=attempt, deadline_seconds=deadline)

    return asyncio.run(one())


def invoice(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def start() -> Iterator[Callable[..., RunningStub]]:
    """Starts stand-ins: `start(faults={Fault.EMPTY: 1.0})`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running(StubOptions(**options)))


@pytest.fixture(scope="session")
def _shared() -> Iterator[RunningStub]:
    with running(StubOptions(retry_after=7.0)) as stub:
        yield stub


@pytest.fixture
def stub(_shared: RunningStub) -> Iterator[RunningStub]:
    """A stand-in that all tests share: `stub.meet(empty=1.0)` spoils it for one test."""
    yield _shared
    _shared.meet()


class _LeapingSelector(selectors.DefaultSelector):
    """Never waits: moves the clock of its loop to the next timer instead."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits for ever")
        self.clock += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only in waits, and at once."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.clock


def virtually(main: Coroutine[Any, Any, Any]) -> Any:
    """Run `main` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
