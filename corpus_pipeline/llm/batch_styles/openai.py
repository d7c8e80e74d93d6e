"""OpenAI's Batch API and that of Azure: files of JSON Lines. https://platform.openai.com/docs/guides/batch"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import orjson

from corpus_pipeline.llm import chat_completions, error_bodies, failures
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.batch_styles.base import (
    KEY_FIELD,
    PAGE,
    Batch,
    BatchStyle,
    Chunk,
    Result,
    Send,
    answered,
    count,
    own,
    text,
)
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.llm.redaction import redact
from corpus_pipeline.model import Request

_UNWORKED = frozenset({"batch_expired", "batch_cancelled"})


class OpenAI(BatchStyle):
    """A file is uploaded, a batch is made of it, and its key stands in the batch's metadata."""

    def path(self, where: Endpoint, path: str, **query: Any) -> str:
        """A path of the API, with what every address needs."""
        return f"{path}?{urlencode(query)}" if query else path

    def url(self, where: Endpoint | None) -> str:
        """The address that stands in every line."""
        return chat_completions.CHAT_PATH

    def entry(self, where: Endpoint | None, custom_id: str, request: Request, learnt: Learnt = NOTHING_LEARNT) -> Any:
        """See `BatchStyle.entry`."""
        body = chat_completions.request_body(request, learnt)
        body = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
        return {"custom_id": custom_id, "method": "POST", "url": self.url(where), "body": body}

    async def upload(self, send: Send, where: Endpoint, chunk: Chunk) -> str:
        """See `BatchStyle.upload`."""
        boundary = uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="corpus-{chunk.key}.jsonl"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        content = b"".join((head.encode(), chunk.body, f"\r\n--{boundary}--\r\n".encode()))
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        reply = await send("POST", self.path(where, "/files"), headers=headers, content=content)
        return str(orjson.loads(reply.content)["id"])

    async def create(
        self, send: Send, where: Endpoint, chunk: Chunk, file_id: str, metadata: Mapping[str, str]
    ) -> Batch:
        """See `BatchStyle.create`."""
        body = {
            "input_file_id": file_id,
            "endpoint": self.url(where),
            "completion_window": "24h",
            "metadata": {**metadata, KEY_FIELD: chunk.key},
        }
        headers = {"Content-Type": "application/json"}
        reply = await send("POST", self.path(where, "/batches"), headers=headers, content=orjson.dumps(body))
        return _batch(orjson.loads(reply.content))

    async def page(self, send: Send, where: Endpoint, after: str | None) -> tuple[list[Batch], str | None]:
        """See `BatchStyle.page`."""
        query = {"limit": PAGE} if after is None else {"limit": PAGE, "after": after}
        body = orjson.loads((await send("GET", self.path(where, "/batches", **query))).content)
        found = [_batch(entry) for entry in body.get("data") or ()]
        return found, found[-1].id if body.get("has_more") and found and found[-1].id != after else None

    async def status(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """See `BatchStyle.status`."""
        reply = await send("GET", self.path(where, f"/batches/{quote(batch_id, safe='')}"))
        return _batch(orjson.loads(reply.content))

    async def cancel(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """See `BatchStyle.cancel`."""
        reply = await send("POST", self.path(where, f"/batches/{quote(batch_id, safe='')}/cancel"))
        return _batch(orjson.loads(reply.content))

    def files(self, where: Endpoint, batch: Batch) -> list[str]:
        """See `BatchStyle.files`."""
        ids = filter(None, (batch.output_file_id, batch.error_file_id))
        return [self.path(where, f"/files/{quote(file_id, safe='')}/content") for file_id in ids]

    def result(self, entry: dict[str, Any], requests: Mapping[str, Request]) -> Result | None:
        """See `BatchStyle.result`."""
        custom_id = own(entry.get("custom_id"), requests.keys())
        if custom_id is None:
            return None
        response = entry.get("response")
        if not isinstance(response, dict):
            error = entry.get("error")
            error = error if isinstance(error, dict) else {"message": str(error)}
            code, said = str(error.get("code") or ""), f"{error.get('code')}: {error.get('message')}"
            reason = Reason.TIMEOUT if code in _UNWORKED else Reason.SERVER_ERROR
            failure = Failure(reason, redact(said), code=redact(code, limit=64))
            return Result(custom_id, None, failure, code in _UNWORKED)
        body, request_id = response.get("body"), text(response.get("request_id"))
        status = count(response.get("status_code"))
        if status != 200:
            failure = failures.of_words(status, error_bodies.of_json(body), {"x-request-id": request_id or ""})
            return Result(custom_id, None, failure)
        return answered(custom_id, body, requests[custom_id], request_id)


class Azure(OpenAI):
    """With an `api_version` in every address; the model of a line is a deployment."""

    def path(self, where: Endpoint, path: str, **query: Any) -> str:
        """See `OpenAI.path`."""
        if where.api_version is None:
            return super().path(where, path, **query)
        base = "" if where.base_url.endswith("/openai") else "/openai"
        return super().path(where, base + path, **query, **{"api-version": where.api_version})

    def url(self, where: Endpoint | None) -> str:
        """See `OpenAI.url`."""
        return "/chat/completions" if where is not None and where.api_version else super().url(where)


def _batch(entry: dict[str, Any]) -> Batch:
    counts, errors = entry.get("request_counts") or {}, entry.get("errors") or {}
    listed = errors.get("data") if isinstance(errors, dict) else None
    said = "; ".join(
        f"{error.get('code')}: {error.get('message')}" for error in listed or () if isinstance(error, dict)
    )
    metadata = entry.get("metadata")
    return Batch(
        id=str(entry["id"]),
        status=str(entry.get("status") or ""),
        output_file_id=text(entry.get("output_file_id")),
        error_file_id=text(entry.get("error_file_id")),
        input_file_id=str(entry.get("input_file_id") or ""),
        total=count(counts.get("total")),
        completed=count(counts.get("completed")),
        failed=count(counts.get("failed")),
        created_at=count(entry.get("created_at")),
        metadata=metadata if isinstance(metadata, dict) else {},
        errors=redact(said),
    )
