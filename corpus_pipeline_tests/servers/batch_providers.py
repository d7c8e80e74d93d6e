"""The Batch APIs of Anthropic, Gemini and Azure as their documentation and their SDKs have them, in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import orjson

from corpus_pipeline.llm_stub import answers
from corpus_pipeline.llm_stub.multipart import form_fields

MADE_AT = "2026-11-20T08:00:00Z"
TOKENS = (100, 40)  # of every answer: input, output
Answer = tuple[int, Any, dict[str, str]]


class BatchProvider:
    """One provider. polls: how often a batch is asked after before it is through.

    cut_creates: so many creations arrive, and their answers do not. full: so many are refused, as the queue is full.
    spoil: what becomes of a request, by its number: errored, invalid, expired, missing, twice, garbage.
    refused_key: of a request's body, that is refused with the words of a parameter that is not supported.
    """

    style: ClassVar[str]
    base_path: ClassVar[str]

    def __init__(self) -> None:
        self.batches: dict[str, dict[str, Any]] = {}
        self.seen: list[tuple[str, str, Any]] = []  # method, path, body
        self.polls, self.cut_creates, self.full = 1, 0, 0
        self.spoil: dict[int, str] = {}
        self.refused_key: str | None = None
        self.archived = False
        self.origin = ""

    @property
    def base_url(self) -> str:
        return f"{self.origin}{self.base_path}"

    @property
    def asked(self) -> int:
        """Requests in all batches."""
        return sum(len(batch["requests"]) for batch in self.batches.values())

    def handle(self, method: str, path: str, query: dict[str, str], raw: bytes, headers: dict[str, str]) -> Answer:
        raise NotImplementedError

    def look(self, batch: dict[str, Any]) -> bool:
        """Whether a batch is through by now."""
        batch["looks"] += 1
        return bool(batch["looks"] > self.polls)

    def make(self, requests: list[tuple[str, dict[str, Any]]], **more: Any) -> dict[str, Any]:
        name = f"batch-{len(self.batches) + 1}"
        self.batches[name] = {"name": name, "requests": requests, "looks": 0, **more}
        return self.batches[name]

    def kind_of(self, number: int, body: dict[str, Any]) -> str:
        if self.refused_key is not None and self.refused_key in orjson.dumps(body).decode():
            return "refused_key"
        return self.spoil.get(number, "answered")

    def lines(self, batch: dict[str, Any]) -> bytes:
        made: list[bytes] = []
        for number, (key, body) in enumerate(batch["requests"]):
            kind = self.kind_of(number, body)
            line = orjson.dumps(self.line(kind, key, body), option=orjson.OPT_APPEND_NEWLINE)
            if kind == "garbage":
                line = line[: len(line) // 2] + b"\n"
            made += [] if kind == "missing" else [line, line] if kind == "twice" else [line]
        return b"".join(made)

    def line(self, kind: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


class Anthropic(BatchProvider):
    """https://docs.anthropic.com/en/api/creating-message-batches"""

    style, base_path = "anthropic", "/v1"

    def handle(self, method: str, path: str, query: dict[str, str], raw: bytes, headers: dict[str, str]) -> Answer:
        parts = path.removeprefix("/v1/messages/batches").strip("/").split("/")
        if headers.get("anthropic-version") is None and not path.endswith("/results"):
            return 400, _error("invalid_request_error", "anthropic-version: header is required"), {}
        if method == "POST" and parts == [""]:
            if self.full > 0:
                self.full -= 1
                return 429, _error("rate_limit_error", "too many batch requests are enqueued: the queue is full"), {}
            requests = [(r["custom_id"], r["params"]) for r in orjson.loads(raw)["requests"]]
            batch = self.make(requests)
            if self.cut_creates > 0:
                self.cut_creates -= 1
                return 0, None, {}
            return 200, self.said(batch), {}
        if method == "GET" and parts == [""]:
            for batch in self.batches.values():
                self.look(batch)
            return 200, {"data": [self.said(b) for b in reversed(self.batches.values())], "has_more": False}, {}
        batch = self.batches.get(parts[0])
        if batch is None:
            return 404, _error("not_found_error", "no such batch"), {}
        if parts[1:] == ["results"]:
            return 200, self.lines(batch), {}
        if parts[1:] == ["cancel"]:
            batch["looks"] = 1 << 30
        else:
            self.look(batch)
        return 200, self.said(batch), {}

    def said(self, batch: dict[str, Any]) -> dict[str, Any]:
        through = batch["looks"] > self.polls
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for number, (_, body) in enumerate(batch["requests"]):
            kind = self.kind_of(number, body)
            word = "expired" if kind == "expired" else "errored" if kind in _ERRORS else "succeeded"
            counts[word if through else "processing"] += 1
        return {
            "id": batch["name"],
            "type": "message_batch",
            "processing_status": "ended" if through else "in_progress",
            "request_counts": counts,
            "created_at": MADE_AT,
            "expires_at": MADE_AT,
            "ended_at": MADE_AT if through else None,
            "archived_at": MADE_AT if self.archived else None,
            "cancel_initiated_at": None,
            "results_url": None
            if self.archived or not through
            else f"{self.origin}/v1/messages/batches/{batch['name']}/results",
        }

    def line(self, kind: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        system = body.get("system", "")
        if kind == "expired":
            result: dict[str, Any] = {"type": "expired"}
        elif kind == "errored":
            result = {"type": "errored", "error": _error("api_error", "Internal server error")}
        elif kind == "invalid":
            result = {"type": "errored", "error": _error("invalid_request_error", "messages: roles must not be empty")}
        elif kind == "refused_key":
            said = f"{self.refused_key}: this parameter is not supported for this model"
            result = {"type": "errored", "error": _error("invalid_request_error", said)}
        else:
            message = {
                "id": f"msg_{key}",
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [{"type": "text", "text": _answer(system, body["messages"][-1]["content"])}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1]},
            }
            result = {"type": "succeeded", "message": message}
        return {"custom_id": key, "result": result}


class Gemini(BatchProvider):
    """https://ai.google.dev/gemini-api/docs/batch-api"""

    style, base_path = "gemini", "/v1beta"

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def handle(self, method: str, path: str, query: dict[str, str], raw: bytes, headers: dict[str, str]) -> Answer:
        if path == "/upload/v1beta/files" and headers.get("x-goog-upload-command") == "start":
            return 200, {}, {"X-Goog-Upload-URL": f"{self.origin}/upload/v1beta/files?upload_id=1"}
        if path == "/upload/v1beta/files":
            name = f"files/in-{len(self.files) + 1}"
            self.files[name] = raw
            said = {"file": {"name": name, "mimeType": "application/jsonl", "state": "ACTIVE"}}
            return 200, said, {"X-Goog-Upload-Status": "final"}
        if path.endswith(":batchGenerateContent"):
            if self.full > 0:
                self.full -= 1
                return 429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "enqueued tokens"}}, {}
            said = orjson.loads(raw)["batch"]
            lines = [orjson.loads(line) for line in self.files[said["inputConfig"]["fileName"]].splitlines()]
            model = path.split("/models/")[1].split(":")[0]
            requests = [(line["key"], line["request"]) for line in lines]
            batch = self.make(requests, display=said["displayName"], model=model)
            if self.cut_creates > 0:
                self.cut_creates -= 1
                return 0, None, {}
            return 200, self.said(batch), {}
        if path == "/v1beta/batches":
            return 200, {"operations": [self.said(batch) for batch in reversed(self.batches.values())]}, {}
        if path.startswith("/v1beta/batches/"):
            name, _, verb = path.removeprefix("/v1beta/batches/").partition(":")
            if name not in self.batches:
                return 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "no such batch"}}, {}
            if verb == "cancel":
                self.batches[name]["looks"] = 1 << 30
                return 200, {}, {}
            self.look(self.batches[name])
            return 200, self.said(self.batches[name]), {}
        if path.startswith("/v1beta/files/out-"):
            name = path.removeprefix("/v1beta/files/out-").partition(":")[0]
            return (404, {"error": {"code": 404}}, {}) if self.archived else (200, self.lines(self.batches[name]), {})
        return 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": f"no {path}"}}, {}

    def said(self, batch: dict[str, Any]) -> dict[str, Any]:
        through = batch["looks"] > self.polls
        kinds = [self.kind_of(number, body) for number, (_, body) in enumerate(batch["requests"])]
        failed = sum(kind in _ERRORS or kind == "expired" for kind in kinds)
        stats = {"requestCount": str(len(kinds))}
        if through:
            stats |= {"successfulRequestCount": str(len(kinds) - failed), "failedRequestCount": str(failed)}
        metadata = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "model": f"models/{batch['model']}",
            "displayName": batch["display"],
            "createTime": MADE_AT,
            "state": "BATCH_STATE_SUCCEEDED" if through else "BATCH_STATE_RUNNING",
            "batchStats": stats,
        }
        output = {"responsesFile": f"files/out-{batch['name']}"}
        said = {"name": f"batches/{batch['name']}", "metadata": metadata}
        return said | ({"done": True, "response": output, "metadata": metadata | {"output": output}} if through else {})

    def line(self, kind: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "expired" or kind == "errored":
            return {"key": key, "error": {"code": 14, "message": "The service is currently unavailable."}}
        if kind == "invalid":
            return {"key": key, "error": {"code": 3, "message": "contents: roles must not be empty"}}
        if kind == "refused_key":
            return {"key": key, "error": {"code": 3, "message": f"{self.refused_key} is not supported for this model"}}
        system = body.get("systemInstruction", {}).get("parts", [{"text": ""}])[0]["text"]
        text = _answer(system, body["contents"][-1]["parts"][0]["text"])
        usage = {"promptTokenCount": TOKENS[0], "candidatesTokenCount": TOKENS[1], "totalTokenCount": sum(TOKENS)}
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}
        return {"key": key, "response": {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g"}}


class Azure(BatchProvider):
    """Batch deployments: files and batches below /openai, the version of the API in every address.

    https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch
    """

    style, base_path = "azure", ""
    VERSION: ClassVar[str] = "2025-03-01-preview"

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def handle(self, method: str, path: str, query: dict[str, str], raw: bytes, headers: dict[str, str]) -> Answer:
        if query.get("api-version") != self.VERSION:
            return 404, {"error": {"code": "404", "message": "Resource not found"}}, {}
        if "api-key" not in headers or "authorization" in headers:
            return 401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}, {}
        parts = path.removeprefix("/openai/").split("/")
        match method, parts:
            case "POST", ["files"]:
                fields = form_fields(headers["content-type"], raw)
                assert fields["purpose"][1] == b"batch"
                name = f"file-in-{len(self.files) + 1}"
                self.files[name] = fields["file"][1]
                return 201, {"id": name, "object": "file", "status": "pending", "purpose": "batch"}, {}
            case "POST", ["batches"]:
                return self.create(orjson.loads(raw))
            case "GET", ["batches"]:
                return 200, {"data": [self.said(batch) for batch in reversed(self.batches.values())]}, {}
            case _, ["batches", name, *verb] if name in self.batches:
                batch = self.batches[name]
                if verb == ["cancel"]:
                    batch["looks"] = 1 << 30
                else:
                    self.look(batch)
                return 200, self.said(batch), {}
            case "GET", ["files", name, "content"] if not self.archived:
                return 200, self.lines(self.batches[name.removeprefix("file-out-")]), {}
        return 404, {"error": {"code": "notFound", "message": f"no {path}"}}, {}

    def create(self, said: dict[str, Any]) -> Answer:
        if self.full > 0:
            self.full -= 1
            words = "The deployment m-1 has no quota left: enqueued token limit reached"
            return 429, {"error": {"code": "token_limit_exceeded", "message": words}}, {}
        assert said["endpoint"] == "/chat/completions"
        lines = [orjson.loads(line) for line in self.files[said["input_file_id"]].splitlines()]
        assert {line["url"] for line in lines} == {"/chat/completions"}
        requests = [(line["custom_id"], line["body"]) for line in lines]
        batch = self.make(requests, metadata=said["metadata"], input=said["input_file_id"])
        if self.cut_creates > 0:
            self.cut_creates -= 1
            return 0, None, {}
        return 200, self.said(batch), {}

    def said(self, batch: dict[str, Any]) -> dict[str, Any]:
        through = batch["looks"] > self.polls
        return {
            "id": batch["name"],
            "object": "batch",
            "endpoint": "/chat/completions",
            "status": "completed" if through else "in_progress",
            "input_file_id": batch.get("input", ""),
            "output_file_id": f"file-out-{batch['name']}" if through else None,
            "error_file_id": None,
            "created_at": 1_763_625_600,
            "request_counts": {"total": len(batch["requests"]), "completed": len(batch["requests"]), "failed": 0},
            "metadata": batch.get("metadata", {}),
            "errors": None,
        }

    def line(self, kind: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "expired":
            return {"custom_id": key, "response": None, "error": {"code": "batch_expired", "message": "not in time"}}
        if kind in _ERRORS:
            words = {
                "errored": (500, "The server had an error while processing the request"),
                "invalid": (400, "Invalid type for 'messages[0].role'"),
                "refused_key": (400, f"Unsupported parameter: '{self.refused_key}' is not supported with this model."),
            }
            status, message = words[kind]
            error = {"message": message, "type": "invalid_request_error" if status == 400 else "server_error"}
            if kind == "refused_key":
                error |= {"param": self.refused_key or "", "code": "unsupported_parameter"}
            return {"custom_id": key, "response": {"status_code": status, "body": {"error": error}}, "error": None}
        system = next((m["content"] for m in body["messages"] if m["role"] == "system"), "")
        said = {
            "id": f"chatcmpl-{key}",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
                    "message": {"role": "assistant", "content": _answer(system, body["messages"][-1]["content"])},
                }
            ],
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
            "usage": {
                "prompt_tokens": TOKENS[0],
                "completion_tokens": TOKENS[1],
                "total_tokens": sum(TOKENS),
            },
        }
        return {"custom_id": key, "response": {"status_code": 200, "request_id": "r", "body": said}, "error": None}


_ERRORS = frozenset({"errored", "invalid", "refused_key"})


def _answer(system: str, user: str) -> str:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return answers.reply(answers.read_order({"messages": messages}, "0" * 64), None).content or ""


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


@contextmanager
def serving(provider: BatchProvider) -> Iterator[BatchProvider]:
    """The provider on a port of its own."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                provider.seen.append((self.command, self.path, raw))
                status, said, more = provider.handle(self.command, parts.path, query, raw, headers)
            if status == 0:  # it was done, and nobody hears of it
                self.close_connection = True
                self.connection.close()
                return
            body = said if isinstance(said, bytes) else orjson.dumps(said)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.origin = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
