"""The provider's Batch API: half the price, done within 24 hours. https://platform.openai.com/docs/guides/batch

Submitting once, even when killed in between: a chunk's key is a hash of its content and goes into the batch's
metadata. After a restart the same rows make the same chunk; `find` looks for its key before `submit` is called again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm import chat_completions, failures, lenient_json
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.failures import CallRefused, Failure, Reason
from corpus_pipeline.llm.redaction import redact
from corpus_pipeline.model import Answer, Request

MOST_REQUESTS = 50_000
MOST_BYTES = 200 * 1000 * 1000
# what one upload holds in memory; smaller than the provider's limit, so that memory stays flat
CHUNK_BYTES = 32 * 1000 * 1000
KEY_FIELD = "corpus_chunk"
_PAGE = 100
_DOWNLOAD_BYTES = 1 << 16


class Item(NamedTuple):
    """One request of a batch; `custom_id` is ours, at most 64 characters, unique in its task."""

    custom_id: str
    request: Request


class Chunk(NamedTuple):
    """One input file: requests to one model, within the provider's limits."""

    key: str
    model: str
    custom_ids: tuple[str, ...]
    body: bytes


class Outcome(StrEnum):
    """What a provider's word for where a batch is means to us."""

    WAITING = "waiting"
    UNKNOWN = "unknown"  # a word that we do not know: taken for waiting
    FAILED = "failed"  # the input file was refused; nothing was worked
    COMPLETED = "completed"
    EXPIRED = "expired"  # out of time: what was worked is in the output file
    CANCELLED = "cancelled"  # what was worked before is in the output file


_WORDS = {
    Outcome.WAITING: "validating in_progress finalizing cancelling canceling queued pending running processing",
    Outcome.FAILED: "failed failure error errored invalid rejected",
    Outcome.COMPLETED: "completed complete succeeded success ended done finished",
    Outcome.EXPIRED: "expired timeout timed_out",
    Outcome.CANCELLED: "cancelled canceled",
}
_OUTCOMES = {word: outcome for outcome, words in _WORDS.items() for word in words.split()}


class FileGone(Exception):
    """A file of a batch is not at the provider."""


class Batch(NamedTuple):
    """A batch as the provider describes it. status: its word. errors: why the input file was refused, redacted."""

    id: str
    status: str
    output_file_id: str | None
    error_file_id: str | None
    input_file_id: str
    total: int
    completed: int
    failed: int
    created_at: int
    metadata: dict[str, str]
    errors: str = ""

    @property
    def outcome(self) -> Outcome:
        """What its status means; a word that we do not know means finished when every request is accounted for."""
        known = _OUTCOMES.get(self.status.lower().removeprefix("job_state_").removeprefix("batch_state_"))
        if known is not None:
            return known
        is_through = self.output_file_id is not None and 0 < self.total <= self.completed + self.failed
        return Outcome.COMPLETED if is_through else Outcome.UNKNOWN

    @property
    def is_final(self) -> bool:
        return self.outcome not in (Outcome.WAITING, Outcome.UNKNOWN)


class Result(NamedTuple):
    """What became of one request: an answer or a failure; `unworked` ones cost nothing and may be sent again."""

    custom_id: str
    answer: Answer | None
    failure: Failure | None
    unworked: bool = False


def chunks(
    items: Iterable[Item], *, most_requests: int = MOST_REQUESTS, most_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Cut items into input files, one model each, in the order of the items.

    Raises UsageError for limits beyond the provider's and for a single request that is too long for a file.
    """
    if not 0 < most_requests <= MOST_REQUESTS or not 0 < most_bytes <= MOST_BYTES:
        raise UsageError(
            f"a batch holds 1 to {MOST_REQUESTS} requests in {MOST_BYTES} bytes at most. Change the recipe."
        )
    open_chunks: dict[str, tuple[list[str], list[bytes], int]] = {}
    for item in items:
        line = _line(item)
        if len(line) > most_bytes:
            raise UsageError(f"request {item.custom_id} alone is longer than a batch of {most_bytes} bytes may be.")
        model = item.request.model
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
        self._client = client
        self._deadline = deadline_seconds

    async def upload(self, chunk: Chunk) -> str:
        """Send the input file; returns its id at the provider. A file alone costs nothing and starts nothing."""
        uploaded = await self._call(
            self._client.sdk.files.create(file=(f"corpus-{chunk.key}.jsonl", BytesIO(chunk.body)), purpose="batch")
        )
        return str(uploaded.id)

    async def create(self, chunk_key: str, file_id: str, metadata: dict[str, str]) -> Batch:
        """Start the batch of an uploaded file. `metadata` (task and the like) and the chunk's key go with it.

        Call `find` first where one may have been started: two calls make two batches.
        """
        created = await self._call(
            self._client.sdk.batches.create(
                input_file_id=file_id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={**metadata, KEY_FIELD: chunk_key},
            )
        )
        return _batch(created)

    async def find(self, chunk_key: str, file_id: str | None = None, *, created_after: int = 0) -> list[Batch]:
        """The batches of that chunk or input file, newest first: none, one, or, after a retry gone wrong, several.

        created_after: Unix time at which the search may end, as lists are newest first.
        """
        found: list[Batch] = []
        after: str | None = None
        while True:
            page = await self._call(
                self._client.sdk.batches.list(limit=_PAGE)
                if after is None
                else self._client.sdk.batches.list(limit=_PAGE, after=after)
            )
            batches = [_batch(entry) for entry in page.data or ()]
            found += [
                batch
                for batch in batches
                if batch.metadata.get(KEY_FIELD) == chunk_key or (file_id and batch.input_file_id == file_id)
            ]
            oldest = min((batch.created_at for batch in batches), default=0)
            if not page.has_more or not batches or oldest < created_after or batches[-1].id == after:
                return found
            after = batches[-1].id

    async def status(self, batch_id: str) -> Batch | None:
        """Where the batch is now; None when the provider knows no such batch."""
        try:
            return _batch(await self._call(self._client.sdk.batches.retrieve(batch_id)))
        except CallRefused as error:
            if error.failure.status == 404:
                return None
            raise

    async def cancel(self, batch_id: str) -> Batch:
        """Ask to stop it; what was worked until then is delivered and billed."""
        return _batch(await self._call(self._client.sdk.batches.cancel(batch_id)))

    async def download(self, batch: Batch, folder: Path) -> list[Path]:
        """The output and the error file of a final batch, as far as there are any, into `folder`; safe to repeat."""
        paths: list[Path] = []
        for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
            path = folder / f"{batch.id}-{hashlib.sha256(file_id.encode()).hexdigest()[:16]}.jsonl"
            if not path.exists():
                try:
                    await self._call(self._stream(file_id, path))
                except CallRefused as error:
                    if error.failure.status in (404, 410):
                        raise FileGone(error.failure.message) from None
                    raise
            paths.append(path)
        return paths

    async def _stream(self, file_id: str, path: Path) -> None:
        part = path.with_suffix(".part")
        async with self._client.sdk.files.with_streaming_response.content(file_id) as response:
            with part.open("wb") as out:
                async for piece in response.iter_bytes(_DOWNLOAD_BYTES):
                    out.write(piece)
        part.rename(path)

    async def _call(self, call: Any) -> Any:
        try:
            async with asyncio.timeout(self._deadline):
                return await call
        except Exception as error:
            raise self._client.classified(error) from None


def results(paths: Iterable[Path], requests: dict[str, Request]) -> Iterator[Result | None]:
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
                custom_id = entry.get("custom_id") if isinstance(entry, dict) else None
                if not isinstance(custom_id, str):
                    yield None
                elif custom_id in requests:
                    yield _result(entry, custom_id, requests[custom_id])


def _result(entry: dict[str, Any], custom_id: str, request: Request) -> Result:
    response = entry.get("response")
    if not isinstance(response, dict):
        error = entry.get("error")
        error = error if isinstance(error, dict) else {"message": str(error)}
        code, said = str(error.get("code") or ""), f"{error.get('code')}: {error.get('message')}"
        unworked = code in ("batch_expired", "batch_cancelled")
        reason = Reason.TIMEOUT if unworked else Reason.SERVER_ERROR
        return Result(custom_id, None, Failure(reason, redact(said), code=redact(code, limit=64)), unworked)
    body, request_id = response.get("body"), response.get("request_id")
    request_id = request_id if isinstance(request_id, str) else None
    try:
        status = int(response.get("status_code") or 0)
    except (TypeError, ValueError):
        status = 0
    if status != 200:
        failure = failures.from_status(status, {"x-request-id": request_id or ""}, orjson.dumps(body))
        return Result(custom_id, None, failure)
    try:
        return Result(custom_id, chat_completions.parse_body(body, request, request_id=request_id), None)
    except chat_completions.ErrorAnswer as error:
        return Result(custom_id, None, Failure(Reason.SERVER_ERROR, redact(str(error)), maybe_billed=error.billed))
    except chat_completions.BrokenAnswer as error:
        return Result(custom_id, None, failures.broken_body(str(error), request_id=request_id))


def _line(item: Item) -> bytes:
    if not 0 < len(item.custom_id) <= 64:
        raise UsageError(f"custom_id {item.custom_id!r} must have 1 to 64 characters.")
    entry = {
        "custom_id": item.custom_id,
        "method": "POST",
        "url": chat_completions.CHAT_PATH,
        "body": chat_completions.request_body(item.request),
    }
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def _chunk(model: str, ids: list[str], lines: list[bytes]) -> Chunk:
    body = b"".join(lines)
    return Chunk(hashlib.sha256(body).hexdigest(), model, tuple(ids), body)


def _batch(entry: Any) -> Batch:
    counts, errors = entry.request_counts, entry.errors
    said = "; ".join(f"{error.code}: {error.message}" for error in (errors.data or [])) if errors else ""
    return Batch(
        id=entry.id,
        status=str(entry.status or ""),
        output_file_id=entry.output_file_id,
        error_file_id=entry.error_file_id,
        input_file_id=entry.input_file_id,
        total=(counts.total or 0) if counts else 0,
        completed=(counts.completed or 0) if counts else 0,
        failed=(counts.failed or 0) if counts else 0,
        created_at=entry.created_at or 0,
        metadata=dict(entry.metadata or {}),
        errors=redact(said),
    )
