"""Anthropic's Message Batches. https://docs.anthropic.com/en/api/creating-message-batches

There is no input file and no metadata: a batch whose creation was cut is known again by the ids of its requests, which stand in
its results.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

import orjson

from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.batch_styles.base import (
    PAGE,
    Batch,
    BatchStyle,
    Chunk,
    FileGone,
    Result,
    Send,
    Sought,
    answered,
    count,
    own,
    refused,
    text,
)
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.llm.styles.anthropic import VERSION, Anthropic, as_completion
from corpus_pipeline.model import Request

_HEADERS: Final = {"Content-Type": "application/json", "anthropic-version": VERSION}
_STYLE: Final = Anthropic()


class AnthropicBatches(BatchStyle):
    """The requests go with the creation itself."""

    max_requests: ClassVar[int] = 100_000
    max_bytes: ClassVar[int] = 256 * 1000 * 1000

    def entry(self, where: Endpoint | None, custom_id: str, request: Request, learnt: Learnt = NOTHING_LEARNT) -> Any:
        """See `BatchStyle.entry`."""
        assert where is not None
        return {"custom_id": custom_id, "params": _STYLE.wire(where, request, learnt).body}

    async def upload(self, send: Send, where: Endpoint, chunk: Chunk) -> str:
        """Nothing is sent yet: what is returned says that the creation is about to be."""
        return f"inline-{chunk.key[:32]}"

    async def create(
        self, send: Send, where: Endpoint, chunk: Chunk, file_id: str, metadata: Mapping[str, str]
    ) -> Batch:
        """See `BatchStyle.create`."""
        content = b'{"requests":[' + b",".join(chunk.body.splitlines()) + b"]}"
        return _batch(
            orjson.loads((await send("POST", "/messages/batches", headers=_HEADERS, content=content)).content)
        )

    async def page(self, send: Send, where: Endpoint, after: str | None) -> tuple[list[Batch], str | None]:
        """See `BatchStyle.page`."""
        query = urlencode({"limit": PAGE} if after is None else {"limit": PAGE, "after_id": after})
        body = orjson.loads((await send("GET", f"/messages/batches?{query}", headers=_HEADERS)).content)
        found = [_batch(entry) for entry in body.get("data") or ()]
        return found, text(body.get("last_id")) if body.get("has_more") and found else None

    async def status(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """See `BatchStyle.status`."""
        path = f"/messages/batches/{quote(batch_id, safe='')}"
        return _batch(orjson.loads((await send("GET", path, headers=_HEADERS)).content))

    async def cancel(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """See `BatchStyle.cancel`."""
        path = f"/messages/batches/{quote(batch_id, safe='')}/cancel"
        return _batch(orjson.loads((await send("POST", path, headers=_HEADERS)).content))

    def files(self, where: Endpoint, batch: Batch) -> list[str]:
        """See `BatchStyle.files`."""
        if batch.output_file_id is None:
            raise FileGone("the batch ended, and its results are archived")
        return [f"/messages/batches/{quote(batch.id, safe='')}/results"]

    def result(self, entry: dict[str, Any], requests: Mapping[str, Request]) -> Result | None:
        """See `BatchStyle.result`."""
        custom_id = own(entry.get("custom_id"), requests.keys())
        said = entry.get("result")
        if custom_id is None or not isinstance(said, dict):
            return None
        match said.get("type"):
            case "succeeded":
                message = said.get("message")
                request_id = text(message.get("id")) if isinstance(message, dict) else None
                return answered(custom_id, as_completion(message), requests[custom_id], request_id)
            case "expired" | "canceled" | "cancelled" as word:
                failure = Failure(Reason.TIMEOUT, f"the batch was over before it was worked: {word}", code=str(word))
                return Result(custom_id, None, failure, unworked=True)
            case _:
                return refused(custom_id, said.get("error") or said)

    def is_sought(self, batch: Batch, sought: Sought) -> bool:
        """See `BatchStyle.is_sought`: one of as many requests, until its results say whose they are."""
        return batch.id not in sought.known and batch.total == len(sought.custom_ids)


def _batch(entry: dict[str, Any]) -> Batch:
    counts = entry.get("request_counts")
    counts = counts if isinstance(counts, dict) else {}
    status = str(entry.get("processing_status") or "")
    return Batch(
        id=str(entry["id"]),
        status=status,
        output_file_id=text(entry.get("results_url")),
        error_file_id=None,
        input_file_id="",
        total=sum(count(value) for value in counts.values()),
        completed=count(counts.get("succeeded")),
        failed=count(counts.get("errored")),
        created_at=_unix(entry.get("created_at")),
        metadata={},
        is_certain=False,
    )


def _unix(moment: Any) -> int:
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp())
    except ValueError:
        return 0
