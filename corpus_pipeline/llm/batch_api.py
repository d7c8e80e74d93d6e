"""A provider's Batch API: half the price, done within 24 hours.

Submitting once, even when killed in between: a chunk's key is a hash of its content, and its batch is found again by what the
provider keeps of it (metadata, the input file, a display name, the ids of its requests) before another one is made.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm import failures, lenient_json
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.batch_styles import BATCH_STYLES, BatchStyle
from corpus_pipeline.llm.batch_styles.base import Batch, Chunk, FileGone, Foreign, Outcome, Result, Sought
from corpus_pipeline.llm.client import ModelClient, dumped
from corpus_pipeline.llm.connections import Reply
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import CallRefused, CallRejected
from corpus_pipeline.model import Request

__all__ = ["Batch", "BatchClient", "Chunk", "FileGone", "Item", "Outcome", "Result", "Sought", "chunks", "results"]

# what one upload holds in memory; smaller than the provider's limit, so that memory stays flat
CHUNK_BYTES = 32 * 1000 * 1000
_OPENAI = BATCH_STYLES["openai"]


class Item(NamedTuple):
    """One request of a batch; `custom_id` is ours, at most 64 characters, unique in its task."""

    custom_id: str
    request: Request


def style_of(where: Endpoint) -> BatchStyle:
    """The Batch API that an endpoint has."""
    return BATCH_STYLES[where.style]


def chunks(
    items: Iterable[Item],
    *,
    most_requests: int | None = None,
    most_bytes: int = CHUNK_BYTES,
    where: Endpoint | None = None,
    learnt: Mapping[str, Learnt] | None = None,
) -> Iterator[Chunk]:
    """Cut items into inputs of batches, one model each, in the order of the items.

    where: the endpoint that they are for. learnt: by model, how requests are put. Raises UsageError for limits beyond the
    provider's and for a single request that is too long for a batch.
    """
    style = _OPENAI if where is None else style_of(where)
    most_requests = style.max_requests if most_requests is None else most_requests
    if not 0 < most_requests <= style.max_requests or not 0 < most_bytes <= style.max_bytes:
        raise UsageError(
            f"a batch holds 1 to {style.max_requests} requests in {style.max_bytes} bytes at most. Change the recipe."
        )
    open_chunks: dict[str, tuple[list[str], list[bytes], int]] = {}
    for item in items:
        model = item.request.model
        line = _line(style, where, item, (learnt or {}).get(model, NOTHING_LEARNT))
        if len(line) > most_bytes:
            raise UsageError(f"request {item.custom_id} alone is longer than a batch of {most_bytes} bytes may be.")
        ids, lines, size = open_chunks.get(model, ([], [], 0))
        if ids and (len(ids) >= most_requests or size + len(line) > most_bytes):
            yield _chunk(model, ids, lines)
            ids, lines, size = [], [], 0
        ids.append(item.custom_id)
        lines.append(line)
        open_chunks[model] = (ids, lines, size + len(line))
    for model, (ids, lines, _) in open_chunks.items():
        yield _chunk(model, ids, lines)


class BatchClient:
    """The Batch API of the endpoint that `client` speaks to. Raises what `ModelClient.complete` raises."""

    def __init__(self, client: ModelClient, *, deadline_seconds: float = 600.0) -> None:
        self._client, self._where = client, client.where
        self._style = style_of(client.where)
        self._deadline = deadline_seconds

    async def upload(self, chunk: Chunk) -> str:
        """Send the input file; returns its id at the provider. A file alone costs nothing and starts nothing."""
        return await _understood(self._style.upload(self._send, self._where, chunk))

    async def create(self, chunk: Chunk, file_id: str, metadata: dict[str, str]) -> Batch:
        """Start the batch of an uploaded file. `metadata` (task and the like) and the chunk's key go with it where they can.

        Call `find` first where one may have been started: two calls make two batches.
        """
        return await _understood(self._style.create(self._send, self._where, chunk, file_id, metadata))

    async def find(self, sought: Sought) -> list[Batch]:
        """The batches that are looked for, newest first: none, one, or, after a retry gone wrong, several.

        Those that only their results can tell are `is_certain` once they were read; before that they are not.
        """
        found = [batch async for batch in self._listed(sought.created_after) if self._style.is_sought(batch, sought)]
        judged = [await self._judged(batch, sought) for batch in found]
        return [batch for batch in judged if batch is not None]

    async def _listed(self, created_after: int) -> AsyncIterator[Batch]:
        after: str | None = None
        while True:
            batches, following = await _understood(self._style.page(self._send, self._where, after))
            for batch in batches:
                yield batch
            oldest = min((batch.created_at for batch in batches), default=0)
            if following is None or following == after or oldest < created_after:
                return
            after = following

    async def _judged(self, batch: Batch, sought: Sought) -> Batch | None:
        """The batch, certain as far as its results say so; None when they are others'."""
        if batch.is_certain or not batch.is_final:
            return batch
        with tempfile.TemporaryDirectory(prefix="corpus-batch-") as folder:
            try:
                paths = await self.download(batch, Path(folder))
            except FileGone:
                return batch
            for path in paths:
                with path.open("rb") as lines:
                    entry = lenient_json.loads(lines.readline())
                if isinstance(entry, dict) and isinstance(entry.get("custom_id"), str):
                    return batch._replace(is_certain=True) if entry["custom_id"] in sought.custom_ids else None
        return batch

    async def status(self, batch_id: str) -> Batch | None:
        """Where the batch is now; None when the provider knows no such batch."""
        try:
            return await _understood(self._style.status(self._send, self._where, batch_id))
        except (CallRefused, CallRejected) as error:
            if error.failure.status in (404, 410):
                return None
            raise

    async def cancel(self, batch_id: str) -> Batch:
        """Ask to stop it; what was worked until then is delivered and billed."""
        return await _understood(self._style.cancel(self._send, self._where, batch_id))

    async def download(self, batch: Batch, folder: Path) -> list[Path]:
        """The results of a final batch, as far as there are any, into `folder`; safe to repeat. Raises FileGone."""
        paths: list[Path] = []
        for address in self._style.files(self._where, batch):
            named = hashlib.sha256(f"{batch.id} {address}".encode()).hexdigest()[:32]
            path = folder / f"{named}.jsonl"
            if not path.exists():
                try:
                    await self._client.download(address, path, deadline_seconds=self._deadline)
                except (CallRefused, CallRejected) as error:
                    if error.failure.status in (404, 410):
                        raise FileGone(error.failure.message) from None
                    raise
            paths.append(path)
        return paths

    def results(self, paths: Iterable[Path], requests: Mapping[str, Request]) -> Iterator[Result | None]:
        """See `results`, in the words of this provider."""
        return results(paths, requests, self._style)

    async def _send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Reply:
        return await self._client.send(method, path, headers=headers, content=content, deadline_seconds=self._deadline)


async def _understood(call: Any) -> Any:
    """What a call to the Batch API said; an answer that is none of its is a broken one."""
    try:
        return await call
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as error:
        said = f"the Batch API answered with something else ({type(error).__name__})"
        raise failures.broken_body(said).error() from None


def results(
    paths: Iterable[Path], requests: Mapping[str, Request], style: BatchStyle = _OPENAI
) -> Iterator[Result | None]:
    """The results in downloaded files, in no order and as they come: a request may have none, or several.

    requests: custom_id -> what was asked. None is a line that cannot be read; lines with an id that is not ours are passed
    over.
    """
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                entry = lenient_json.loads(line)
                try:
                    yield style.result(entry, requests) if isinstance(entry, dict) else None
                except Foreign:
                    continue


def _line(style: BatchStyle, where: Endpoint | None, item: Item, learnt: Learnt) -> bytes:
    if not 0 < len(item.custom_id) <= 64:
        raise UsageError(f"custom_id {item.custom_id!r} must have 1 to 64 characters.")
    return dumped(style.entry(where, item.custom_id, item.request, learnt)) + b"\n"


def _chunk(model: str, ids: list[str], lines: list[bytes]) -> Chunk:
    body = b"".join(lines)
    return Chunk(hashlib.sha256(body).hexdigest(), model, tuple(ids), body)
