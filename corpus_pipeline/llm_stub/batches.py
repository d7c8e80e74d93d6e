"""The Files and Batches part of the API: uploads, batches that take a chosen time, output and error files, cancelling.

https://platform.openai.com/docs/api-reference/batch. Everything is kept in memory; a restart forgets it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import orjson

from corpus_pipeline.llm.chat_completions import CHAT_PATH
from corpus_pipeline.llm_stub.engine import Engine
from corpus_pipeline.llm_stub.faults import REFUSED, WIRE, Fault

MOST_REQUESTS = 50_000
MOST_BYTES = 200 * 1024 * 1024
_STEPS = 50  # how often a batch's progress moves
_WINDOW_SECONDS = 24 * 3600


class NotThere(LookupError):
    """No such file or batch."""


class Files:
    """Uploaded and produced files by id."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Any]] = {}
        self._contents: dict[str, bytes] = {}

    def add(self, name: str, purpose: str, content: bytes) -> dict[str, Any]:
        identifier = f"file-{uuid4().hex}"
        entry: dict[str, Any] = {
            "id": identifier,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }
        self._entries[identifier] = entry
        self._contents[identifier] = content
        return entry

    def get(self, identifier: str) -> dict[str, Any]:
        if identifier not in self._entries:
            raise NotThere(identifier)
        return self._entries[identifier]

    def content(self, identifier: str) -> bytes:
        self.get(identifier)
        return self._contents[identifier]

    def delete(self, identifier: str) -> dict[str, Any]:
        self.get(identifier)
        del self._entries[identifier], self._contents[identifier]
        return {"id": identifier, "object": "file", "deleted": True}

    def list(self) -> list[dict[str, Any]]:
        return list(reversed(self._entries.values()))


class Batches:
    """Batches by id, newest first in lists; each is worked by a task of its own."""

    def __init__(self, engine: Engine, files: Files) -> None:
        self._engine = engine
        self._files = files
        self._entries: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Start a batch. Raises NotThere when its input file is."""
        content = self._files.content(str(body.get("input_file_id")))
        now = int(time.time())
        entry: dict[str, Any] = {
            "id": f"batch_{uuid4().hex}",
            "object": "batch",
            "endpoint": body.get("endpoint"),
            "errors": None,
            "input_file_id": body["input_file_id"],
            "completion_window": body.get("completion_window", "24h"),
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "in_progress_at": None,
            "expires_at": now + _WINDOW_SECONDS,
            "finalizing_at": None,
            "completed_at": None,
            "failed_at": None,
            "expired_at": None,
            "cancelling_at": None,
            "cancelled_at": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": body.get("metadata") or None,
        }
        self._entries[entry["id"]] = entry
        task = asyncio.create_task(self._work(entry, content))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return entry

    def get(self, identifier: str) -> dict[str, Any]:
        if identifier not in self._entries:
            raise NotThere(identifier)
        return self._entries[identifier]

    def cancel(self, identifier: str) -> dict[str, Any]:
        entry = self.get(identifier)
        if entry["status"] in ("validating", "in_progress"):
            _move(entry, "cancelling")
        return entry

    def page(self, after: str | None, limit: int) -> dict[str, Any]:
        """One page of the list, newest first, after the batch with that id."""
        entries = list(reversed(self._entries.values()))
        if after is not None:
            self.get(after)
            entries = entries[[entry["id"] for entry in entries].index(after) + 1 :]
        page = entries[:limit]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(entries) > limit,
        }

    async def _work(self, entry: dict[str, Any], content: bytes) -> None:
        requests, faults = _requests(content, str(entry["endpoint"]))
        pause = self._engine.options.batch / _STEPS
        await asyncio.sleep(pause)
        if faults:
            entry["errors"] = {"object": "list", "data": faults}
            _move(entry, "failed")
            return
        counts = entry["request_counts"]
        counts["total"] = len(requests)
        if entry["status"] != "cancelling":
            _move(entry, "in_progress")
        output: list[bytes] = []
        errors: list[bytes] = []
        unfinished = 0
        per_step = -(-len(requests) // _STEPS)
        for number, request in enumerate(requests):
            if entry["status"] == "cancelling":
                errors.append(_line(request["custom_id"], None, "batch_cancelled", "The batch was cancelled."))
                continue
            line, good, expired = self._one(entry["id"], request)
            (output if good else errors).append(line)
            unfinished += expired
            if not expired:
                counts["completed" if good else "failed"] += 1
            if (number + 1) % per_step == 0:
                await asyncio.sleep(pause)
            elif number % 50 == 0:
                await asyncio.sleep(0)
        cancelled = entry["status"] == "cancelling"
        if not cancelled:
            _move(entry, "finalizing")
            await asyncio.sleep(pause)
        for key, lines in (("output_file_id", output), ("error_file_id", errors)):
            if lines:
                entry[key] = self._files.add(f"{entry['id']}_{key[:-8]}.jsonl", "batch_output", b"".join(lines))["id"]
        _move(entry, "cancelled" if cancelled else "expired" if unfinished else "completed")

    def _one(self, batch: str, request: dict[str, Any]) -> tuple[bytes, bool, bool]:
        """(line, whether it goes to the output file, whether the request ran out of time)."""
        custom_id = request["custom_id"]
        outcome = self._engine.answer(request["body"], attempt=None, attempt_id=custom_id, batch=batch)
        # a batch has no wire to break and no 429 for its single requests
        limited = (Fault.RATE_LIMIT, Fault.RATE_LIMIT_MS, Fault.RATE_LIMIT_DATE, Fault.RATE_LIMIT_BARE)
        if outcome.fault is Fault.EXPIRED or outcome.fault in limited:
            return _line(custom_id, None, "batch_expired", "This request was not worked in time."), False, True
        self._engine.invoice.write(outcome.line)
        good = outcome.fault not in REFUSED and outcome.status == 200
        body = orjson.loads(outcome.body) if outcome.fault not in (Fault.BAD_GATEWAY, *WIRE) or good else None
        response = {"status_code": outcome.status, "request_id": f"req_{uuid4().hex}", "body": body}
        return _line(custom_id, response), good, False


def _line(custom_id: str, response: dict[str, Any] | None, code: str = "", message: str = "") -> bytes:
    error = {"code": code, "message": message} if code else None
    line = {"id": f"batch_req_{uuid4().hex}", "custom_id": custom_id, "response": response, "error": error}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _move(entry: dict[str, Any], status: str) -> None:
    entry["status"] = status
    entry[f"{status}_at"] = int(time.time())


def _requests(content: bytes, endpoint: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(requests, faults of the file). A file with one fault is refused as a whole."""
    requests: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    seen: set[str] = set()
    models: set[str] = set()
    lines = content.splitlines()
    if len(lines) > MOST_REQUESTS or len(content) > MOST_BYTES or not lines:
        return [], [_fault("batch_size", "The file has no request, or more than 50,000, or more than 200 MB.", None)]
    for number, line in enumerate(lines, 1):
        try:
            request = orjson.loads(line)
            custom_id, body = str(request["custom_id"]), request["body"]
            models.add(str(body["model"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            faults.append(_fault("invalid_json_line", "This line is no request.", number))
            continue
        if request.get("url") != endpoint or endpoint != CHAT_PATH or request.get("method") != "POST":
            faults.append(_fault("mismatched_endpoint", f"The url must be {CHAT_PATH}.", number))
        if custom_id in seen:
            faults.append(_fault("duplicate_custom_id", "This custom_id is used before.", number))
        seen.add(custom_id)
        requests.append({"custom_id": custom_id, "body": body})
    if len(models) > 1:
        faults.append(_fault("mismatched_model", "All requests of a batch must ask the same model.", None))
    return requests, faults


def _fault(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "line": line, "param": None}
