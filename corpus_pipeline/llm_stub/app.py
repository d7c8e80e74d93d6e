"""The ASGI application: routes, keys, rate limits, and the faults of the wire."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import orjson

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm_stub.batches import Batches, Files, NotThere
from corpus_pipeline.llm_stub.engine import Engine, Headers, Outcome, error_body
from corpus_pipeline.llm_stub.faults import Fault, FaultMix, fault_named
from corpus_pipeline.llm_stub.invoice import Invoice
from corpus_pipeline.llm_stub.multipart import form_fields
from corpus_pipeline.llm_stub.options import StubOptions
from corpus_pipeline.llm_stub.ratelimit import RateLimits

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MOST_BODY_BYTES = 210 * 1024 * 1024
_JSON = (b"content-type", b"application/json")
_ALWAYS = [(b"x-corpus-stub", b"1")]
TRANSPORT = "corpus_stub.transport"  # where the server puts the connection into the scope


class StubApp:
    """One stand-in: state of its own, nothing global."""

    def __init__(self, options: StubOptions) -> None:
        self.options = options
        self.invoice = Invoice(options.request_log, fsync=options.fsync)
        self.engine = Engine(options, self.invoice)
        self.limits = RateLimits(options.requests_per_minute, options.tokens_per_minute, time.monotonic())
        self.files = Files()
        self.batches = Batches(self.engine, self.files)
        self._serial = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        body = await _body(receive)
        if body is None:
            return
        path, method = scope["path"], scope["method"]
        if path.startswith("/admin"):
            await self._admin(scope, method, path, body, send)
        elif not self._let_in(headers):
            await _send(send, 401, error_body("invalid_request_error", "invalid_api_key", "Incorrect API key."))
        elif path == "/v1/chat/completions" and method == "POST":
            await self._chat(scope, headers, body, receive, send)
        else:
            await self._rest(scope, method, path, headers, body, send)

    def _let_in(self, headers: dict[bytes, bytes]) -> bool:
        wanted = self.options.api_key
        return wanted is None or headers.get(b"authorization") == f"Bearer {wanted}".encode()

    async def _chat(self, scope: Scope, headers: dict[bytes, bytes], raw: bytes, receive: Receive, send: Send) -> None:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = None
        attempt = headers.get(b"x-corpus-attempt", b"")
        attempt_id = headers.get(b"x-corpus-attempt-id")
        outcome = self.engine.answer(
            body,
            attempt=int(attempt) if attempt.isdigit() else None,
            attempt_id=attempt_id.decode("latin-1") if attempt_id else None,
        )
        verdict = self.limits.take(outcome.line.usage.input_tokens + outcome.line.usage.output_tokens, time.monotonic())
        if verdict.retry_after is not None:
            line = outcome.line._replace(usage=outcome.line.usage._replace(input_tokens=0, output_tokens=0), fault=None)
            line = line._replace(nano_dollars=type(line.nano_dollars)(0))
            outcome = self.engine.rate_limited(line, None, verdict.retry_after, verdict.headers)
        else:
            outcome = outcome._replace(headers=[*outcome.headers, *verdict.headers])
        self._serial += 1
        request_id = f"req_stub_{self._serial:012d}".encode()
        if outcome.latency:
            await asyncio.sleep(outcome.latency)
        self.invoice.write(outcome.line)  # from here on it is owed, whatever becomes of the wire
        await self._deliver(scope, receive, send, outcome, [(b"x-request-id", request_id), *outcome.headers])

    async def _deliver(self, scope: Scope, receive: Receive, send: Send, outcome: Outcome, headers: Headers) -> None:
        body = outcome.body
        match outcome.fault if outcome.status == 200 else None:
            case Fault.TIMEOUT:
                await _gone(receive)
            case Fault.ANSWERED_RESET:
                await _reset(scope, receive)
            case Fault.RESET:
                await send(_start(200, len(body), headers))
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                await asyncio.sleep(0.005)  # else the reset may overtake the bytes
                await _reset(scope, receive)
            case Fault.TRICKLE:
                await send(_start(200, len(body), headers))
                await _trickle(receive, send, body, self.options.trickle)
            case Fault.BAD_BODY:
                await _send(send, 200, body[: len(body) // 2], headers)
            case Fault.HTML:
                page = b"<!doctype html><html><body>Please log in (corpus-stub)</body></html>"
                await _send(send, 200, page, headers, (b"content-type", b"text/html"))
            case Fault.GZIP:
                await _send(send, 200, _bomb(), [*headers, (b"content-encoding", b"gzip")])
            case _:
                await _send(send, outcome.status, body, headers)

    async def _rest(
        self, scope: Scope, method: str, path: str, headers: dict[bytes, bytes], raw: bytes, send: Send
    ) -> None:
        try:
            status, body = self._resource(scope, method, path.rstrip("/").split("/")[2:], headers, raw)
        except NotThere as error:
            status, body = 404, error_body("invalid_request_error", None, f"No such object: {error}.")
        except (orjson.JSONDecodeError, ValueError, KeyError, TypeError):
            status, body = 400, error_body("invalid_request_error", None, "The request is not understood.")
        await _send(send, status, body if isinstance(body, bytes) else orjson.dumps(body))

    def _resource(
        self, scope: Scope, method: str, path: list[str], headers: dict[bytes, bytes], raw: bytes
    ) -> tuple[int, Any]:
        match method, path:
            case "GET", ["models"]:
                models = [{"id": name, "object": "model", "owned_by": "corpus-stub"} for name in self.engine.models]
                return 200, {"object": "list", "data": models}
            case "POST", ["files"]:
                fields = form_fields(headers[b"content-type"].decode("latin-1"), raw)
                name, content = fields["file"]
                return 200, self.files.add(name or "upload", fields["purpose"][1].decode(), content)
            case "GET", ["files"]:
                return 200, {"object": "list", "data": self.files.list(), "has_more": False}
            case "GET", ["files", identifier]:
                return 200, self.files.get(identifier)
            case "GET", ["files", identifier, "content"]:
                return 200, self.files.content(identifier)
            case "DELETE", ["files", identifier]:
                return 200, self.files.delete(identifier)
            case "POST", ["batches"]:
                return 200, self.batches.create(orjson.loads(raw))
            case "GET", ["batches"]:
                query = parse_qs(scope["query_string"].decode())
                return 200, self.batches.page(query.get("after", [None])[0], int(query.get("limit", ["20"])[0]))
            case "GET", ["batches", identifier]:
                return 200, self.batches.get(identifier)
            case "POST", ["batches", identifier, "cancel"]:
                return 200, self.batches.cancel(identifier)
            case _:
                return 404, error_body("invalid_request_error", None, "This stand-in has no such address.")

    async def _admin(self, scope: Scope, method: str, path: str, raw: bytes, send: Send) -> None:
        """Counters and the fault mix, for this machine only."""
        client = scope.get("client")
        if client is not None and client[0] not in ("127.0.0.1", "::1"):
            await _send(send, 403, error_body("forbidden", None, "Only from the machine that it runs on."))
        elif (method, path) == ("GET", "/admin/counters"):
            faults = {fault.value: share for fault, share in self.engine.mix.shares.items()}
            await _send(send, 200, orjson.dumps({"counters": dict(self.invoice.counters), "faults": faults}))
        elif (method, path) == ("PUT", "/admin/faults"):
            try:
                shares = {fault_named(name): float(share) for name, share in orjson.loads(raw).items()}
                self.engine.mix = FaultMix(shares, self.options.seed)
            except (CorpusError, ValueError, AttributeError, TypeError) as error:
                await _send(send, 400, error_body("invalid_request_error", None, str(error)))
            else:
                await _send(send, 200, b"{}")
        else:
            await _send(send, 404, error_body("invalid_request_error", None, "GET /admin/counters, PUT /admin/faults"))


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MOST_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _start(status: int, length: int, headers: Headers, kind: tuple[bytes, bytes] = _JSON) -> dict[str, Any]:
    said = [kind, (b"content-length", str(length).encode()), *_ALWAYS]
    said += [pair for pair in headers if pair[0] != b"content-type"]
    return {"type": "http.response.start", "status": status, "headers": said}


async def _send(
    send: Send, status: int, body: bytes, headers: Headers | None = None, kind: tuple[bytes, bytes] = _JSON
) -> None:
    await send(_start(status, len(body), headers or [], kind))
    await send({"type": "http.response.body", "body": body})


async def _gone(receive: Receive) -> None:
    """Until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(scope: Scope, receive: Receive) -> None:
    """Cut the connection with a TCP reset: linger on, for no time, then close."""
    transport = scope["extensions"][TRANSPORT]
    with suppress(OSError, ValueError):  # the client has hung up already: it was killed
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _gone(receive)


async def _trickle(receive: Receive, send: Send, body: bytes, seconds: float) -> None:
    gone = asyncio.ensure_future(_gone(receive))
    try:
        for at in range(len(body)):
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": at + 1 < len(body)})
            await asyncio.wait({gone}, timeout=seconds)
            if gone.done():
                return
    finally:
        gone.cancel()


@cache
def _bomb() -> bytes:
    """64 MiB of blanks, packed."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(64)) + packer.flush()
