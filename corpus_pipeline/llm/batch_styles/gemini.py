"""Gemini's batch mode: a file of JSON Lines through the Files API, a batch of it, a file of responses.

https://ai.google.dev/gemini-api/docs/batch-api. The chunk's key is the display name, by which a batch is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.batch_styles.base import (
    KEY_FIELD,
    PAGE,
    Batch,
    BatchStyle,
    Chunk,
    FileGone,
    Outcome,
    Result,
    Send,
    answered,
    count,
    own,
    refused,
    text,
)
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.redaction import redact
from corpus_pipeline.llm.styles.gemini import Gemini, as_completion
from corpus_pipeline.model import Request

_JSON: Final = {"Content-Type": "application/json"}
_STYLE: Final = Gemini()
# codes of gRPC, which stand in operations and lines, as statuses of HTTP
_STATUSES: Final = {1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}


class GeminiBatches(BatchStyle):
    """Files are uploaded at an address of their own on the same host."""

    max_bytes: ClassVar[int] = 1000 * 1000 * 1000

    def entry(self, where: Endpoint | None, custom_id: str, request: Request, learnt: Learnt = NOTHING_LEARNT) -> Any:
        """See `BatchStyle.entry`."""
        assert where is not None
        return {"key": custom_id, "request": _STYLE.wire(where, request, learnt).body}

    async def upload(self, send: Send, where: Endpoint, chunk: Chunk) -> str:
        """See `BatchStyle.upload`: the upload is announced, and goes to the address in the answer."""
        name = {"file": {"displayName": f"corpus-{chunk.key[:40]}", "mimeType": "application/jsonl"}}
        announced = {
            **_JSON,
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(len(chunk.body)),
            "X-Goog-Upload-Header-Content-Type": "application/jsonl",
        }
        begun = await send("POST", _upload_address(where), headers=announced, content=orjson.dumps(name))
        address = begun.headers.get("x-goog-upload-url") or ""
        headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
        reply = await send("POST", address, headers=headers, content=chunk.body)
        return str(orjson.loads(reply.content)["file"]["name"])

    async def create(
        self, send: Send, where: Endpoint, chunk: Chunk, file_id: str, metadata: Mapping[str, str]
    ) -> Batch:
        """See `BatchStyle.create`."""
        body = {"batch": {"displayName": chunk.key, "inputConfig": {"fileName": file_id}}}
        path = f"/models/{quote(chunk.model, safe='')}:batchGenerateContent"
        return _batch(orjson.loads((await send("POST", path, headers=_JSON, content=orjson.dumps(body))).content))

    async def page(self, send: Send, where: Endpoint, after: str | None) -> tuple[list[Batch], str | None]:
        """See `BatchStyle.page`."""
        query = urlencode({"pageSize": PAGE} if after is None else {"pageSize": PAGE, "pageToken": after})
        body = orjson.loads((await send("GET", f"/batches?{query}")).content)
        found = [_batch(entry) for entry in body.get("operations") or ()]
        return found, text(body.get("nextPageToken"))

    async def status(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """See `BatchStyle.status`."""
        return _batch(orjson.loads((await send("GET", f"/{quote(batch_id)}")).content))

    async def cancel(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """See `BatchStyle.cancel`: it is answered with nothing."""
        await send("POST", f"/{quote(batch_id)}:cancel", headers=_JSON, content=b"{}")
        return await self.status(send, where, batch_id)

    def files(self, where: Endpoint, batch: Batch) -> list[str]:
        """See `BatchStyle.files`."""
        if batch.output_file_id is None:
            if batch.outcome is Outcome.COMPLETED:
                raise FileGone("the batch succeeded, and has no file of responses")
            return []
        return [f"/{quote(batch.output_file_id)}:download?alt=media"]

    def result(self, entry: dict[str, Any], requests: Mapping[str, Request]) -> Result | None:
        """See `BatchStyle.result`."""
        key = entry.get("key")
        if key is None and isinstance(entry.get("metadata"), dict):
            key = entry["metadata"].get("key")
        custom_id = own(key, requests.keys())
        if custom_id is None:
            return None
        if isinstance(entry.get("response"), dict):
            return answered(custom_id, as_completion(entry["response"]), requests[custom_id])
        error = entry.get("error") or entry.get("status")
        if error is None:
            return None
        if isinstance(error, dict) and isinstance(code := error.get("code"), int):
            error = error | {"code": _STATUSES.get(code, code)}
        return refused(custom_id, error)


def _upload_address(where: Endpoint) -> str:
    """Where files go: `/upload/v1beta/files` where the API is at `/v1beta`."""
    return f"{where.origin}/upload{urlsplit(where.base_url).path}/files"


def _batch(entry: dict[str, Any]) -> Batch:
    said = entry.get("metadata")
    said = said if isinstance(said, dict) else entry
    stats, error = said.get("batchStats"), entry.get("error")
    stats = stats if isinstance(stats, dict) else {}
    outputs = [part for part in (said.get("output"), said.get("dest"), entry.get("response")) if isinstance(part, dict)]
    outputs += [part["output"] for part in outputs if isinstance(part.get("output"), dict)]
    inputs = said.get("inputConfig")
    return Batch(
        id=str(entry["name"]),
        status=str(said.get("state") or ""),
        output_file_id=next((name for part in outputs if (name := text(part.get("responsesFile")))), None),
        error_file_id=None,
        input_file_id=str(inputs.get("fileName") or "") if isinstance(inputs, dict) else "",
        total=count(stats.get("requestCount")),
        completed=count(stats.get("successfulRequestCount")),
        failed=count(stats.get("failedRequestCount")),
        created_at=_unix(said.get("createTime")),
        metadata={KEY_FIELD: str(said.get("displayName") or "")},
        errors=redact(str(error.get("message") or error)) if isinstance(error, dict) else "",
    )


def _unix(moment: Any) -> int:
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp())
    except ValueError:
        return 0
