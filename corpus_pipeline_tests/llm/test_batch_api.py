"""The Batch API against the stand-in: once, whole, and found again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm import prices
from corpus_pipeline.llm.batch_api import Batch, BatchClient, Chunk, Item, Outcome, Result, Sought, chunks, results
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.llm.failures import CallRefused, Reason
from corpus_pipeline.llm_stub import RunningStub
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.model import Request
from corpus_pipeline_tests.llm.conftest import KEY, ask, invoice

Start = Callable[..., RunningStub]
TASK = {"corpus_task": "7"}


def items(count: int, *, model: str = "corpus-stub") -> list[Item]:
    return [Item(f"row-{number}", ask(f"Row {number}: buy many apples.", model=model)) for number in range(count)]


def with_batches(stub: RunningStub, work: Callable[[BatchClient], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with ModelClient(endpoint(stub.base_url, KEY)) as model:
            return await work(BatchClient(model, deadline_seconds=20))

    return asyncio.run(main())


async def submit(client: BatchClient, chunk: Chunk) -> Batch:
    return await client.create(chunk, await client.upload(chunk), TASK)


async def finished(client: BatchClient, batch: Batch) -> Batch:
    while not batch.is_final:
        await asyncio.sleep(0.02)
        batch = await status(client, batch)
    return batch


async def status(client: BatchClient, batch: Batch) -> Batch:
    now = await client.status(batch.id)
    assert now is not None
    return now


def run_through(stub: RunningStub, asked: list[Item], folder: Path) -> tuple[Batch, dict[str, Result]]:
    async def work(client: BatchClient) -> tuple[Batch, list[Path]]:
        (chunk,) = chunks(asked)
        batch = await finished(client, await submit(client, chunk))
        return batch, await client.download(batch, folder)

    batch, paths = with_batches(stub, work)
    return batch, {result.custom_id: result for result in results(paths, dict(asked)) if result is not None}


def test_a_batch_brings_every_answer_at_half_the_price(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    asked = items(60)
    batch, got = run_through(start(batch=0.1, request_log=log), asked, tmp_path)
    assert (batch.outcome, batch.total, batch.completed, batch.failed) == (Outcome.COMPLETED, 60, 60, 0)
    assert batch.metadata["corpus_task"] == "7"
    assert got.keys() == {item.custom_id for item in asked}
    price = prices.price_of("corpus-stub").of(prices.BATCH)
    for line in invoice(log):
        answer = got[line["attempt_id"]].answer
        assert answer is not None and line["batch"] == batch.id
        assert line["nano_dollars"] == prices.cost(answer.usage, price)


def test_failures_and_unworked_requests_are_told_apart(start: Start, tmp_path: Path) -> None:
    mix = {Fault.INVALID: 0.2, Fault.SERVER_ERROR: 0.2, Fault.EXPIRED: 0.2, Fault.EMPTY: 0.1}
    asked = items(80)
    batch, got = run_through(start(batch=0.1, faults=mix), asked, tmp_path)
    assert batch.outcome is Outcome.EXPIRED
    assert got.keys() == {item.custom_id for item in asked}
    answered = [result for result in got.values() if result.answer is not None]
    unworked = [result for result in got.values() if result.unworked]
    reasons = {result.failure.reason for result in got.values() if result.failure and not result.unworked}
    assert len(answered) == batch.completed and unworked
    assert reasons == {Reason.INVALID_REQUEST, Reason.SERVER_ERROR}
    # what expired may be sent again, and is answered then
    rest = [item for item in asked if got[item.custom_id].unworked]
    again, _ = run_through(start(batch=0.1), rest, tmp_path)
    assert again.completed == len(rest)


def test_a_batch_that_was_created_but_not_saved_is_found_again(start: Start) -> None:
    asked = items(5)

    async def work(client: BatchClient) -> tuple[list[Batch], list[Batch], Batch]:
        (chunk,) = chunks(asked)
        before = await client.find(Sought(chunk.key))
        for number in range(3):  # other batches are no hindrance
            (other,) = chunks([Item(f"other-{number}", ask(f"other {number}"))])
            await submit(client, other)
        created = await submit(client, chunk)
        (same,) = chunks(asked)  # as after a restart
        return before, await client.find(Sought(same.key)), created

    before, found, created = with_batches(start(batch=0.1), work)
    assert before == [] and [batch.id for batch in found] == [created.id]


def test_the_search_goes_over_many_pages(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus_pipeline.llm.batch_styles.openai.PAGE", 2)

    async def work(client: BatchClient) -> int:
        all_chunks = [next(iter(chunks([item]))) for item in items(7)]
        for chunk in all_chunks:
            await submit(client, chunk)
        return len(await client.find(Sought(all_chunks[0].key)))

    assert with_batches(start(batch=0.1), work) == 1


def test_a_cancelled_batch_keeps_what_was_worked(start: Start, tmp_path: Path) -> None:
    asked = items(50)

    async def work(client: BatchClient) -> tuple[Batch, list[Path]]:
        (chunk,) = chunks(asked)
        batch = await submit(client, chunk)
        while batch.completed < 5:
            await asyncio.sleep(0.02)
            batch = await status(client, batch)
        await client.cancel(batch.id)
        batch = await finished(client, batch)
        return batch, await client.download(batch, tmp_path)

    batch, paths = with_batches(start(batch=2.0), work)
    got = [result for result in results(paths, dict(asked)) if result is not None]
    assert batch.outcome is Outcome.CANCELLED and 5 <= batch.completed < 50
    assert sum(result.answer is not None for result in got) == batch.completed
    assert sum(result.unworked for result in got) == 50 - batch.completed


def test_an_input_file_with_a_fault_is_refused_as_a_whole(start: Start) -> None:
    async def work(client: BatchClient) -> Batch:
        (chunk,) = chunks(items(2))
        twice = Chunk(chunk.key, chunk.model, chunk.custom_ids, chunk.body * 2)
        return await finished(client, await submit(client, twice))

    batch = with_batches(start(batch=0.1), work)
    assert batch.outcome is Outcome.FAILED and "duplicate_custom_id" in batch.errors


def test_downloads_can_be_repeated(start: Start, tmp_path: Path) -> None:
    stub = start(batch=0.1)
    asked = items(3)
    (chunk,) = chunks(asked)

    async def work(client: BatchClient) -> list[Path]:
        batch = await finished(client, await submit(client, chunk))
        first = await client.download(batch, tmp_path)
        stub.app.files._contents.clear()  # the provider has deleted it meanwhile
        return [*first, *await client.download(batch, tmp_path)]

    first, second = with_batches(stub, work)
    assert first == second and not list(tmp_path.glob("*.part"))


def test_errors_of_the_batch_api_are_classified_too(start: Start) -> None:
    async def work(client: BatchClient) -> Batch | None:
        return await client.status("batch_nowhere")

    with pytest.raises(CallRefused) as caught:
        with_batches(start(api_key="another"), work)
    assert caught.value.failure.reason is Reason.BAD_KEY
    assert with_batches(start(), work) is None


def test_a_chunk_asks_one_model_and_keeps_its_order() -> None:
    mixed = [item for pair in zip(items(4), items(4, model="corpus-stub-mini"), strict=True) for item in pair]
    made = list(chunks(mixed))
    assert [(chunk.model, chunk.custom_ids) for chunk in made] == [
        (model, ("row-0", "row-1", "row-2", "row-3")) for model in ("corpus-stub", "corpus-stub-mini")
    ]


@given(st.lists(st.integers(1, 400), max_size=60), st.integers(1, 10), st.integers(1000, 4000))
def test_chunks_keep_within_limits_and_lose_nothing(lengths: list[int], most: int, size: int) -> None:
    asked = [Item(f"{n}", Request("m", ({"role": "user", "content": "x" * k},), 10)) for n, k in enumerate(lengths)]
    made = list(chunks(asked, most_requests=most, most_bytes=size))
    assert [i for chunk in made for i in chunk.custom_ids] == [item.custom_id for item in asked]
    assert all(0 < len(chunk.custom_ids) <= most and len(chunk.body) <= size for chunk in made)
    assert all(chunk.body.count(b"\n") == len(chunk.custom_ids) for chunk in made)
    assert made == list(chunks(asked, most_requests=most, most_bytes=size))


def test_impossible_chunks_are_refused() -> None:
    with pytest.raises(UsageError):
        list(chunks(items(1), most_bytes=10))
    with pytest.raises(UsageError):
        list(chunks(items(1), most_requests=50_001))
    with pytest.raises(UsageError):
        list(chunks([Item("x" * 65, ask("x"))]))


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("validating", Outcome.WAITING),
        ("JOB_STATE_PENDING", Outcome.WAITING),
        ("queued", Outcome.WAITING),
        ("ended", Outcome.COMPLETED),
        ("JOB_STATE_SUCCEEDED", Outcome.COMPLETED),
        ("canceled", Outcome.CANCELLED),
        ("in_the_oven", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
    ],
)
def test_a_status_is_an_open_list(word: str, right: Outcome) -> None:
    batch = Batch("b", word, None, None, "f", 3, 0, 0, 0, {})
    assert batch.outcome is right
    assert batch.is_final is (right in (Outcome.COMPLETED, Outcome.CANCELLED))
    through = batch._replace(output_file_id="o", completed=2, failed=1)
    assert through.is_final or right is Outcome.WAITING, "all requests are accounted for, whatever the word"


def test_lines_that_cannot_be_read_are_told_from_lines_of_others(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(
        b'{"custom_id": "a", "response": null, "error": "x"}\n{"custom_id": "zz"}\n{"custom_id": 3}\n\n{"custom_id": "a", "resp'
    )
    found = list(results([path], {"a": ask("x")}))
    assert [None if entry is None else entry.custom_id for entry in found] == ["a", None, None]
