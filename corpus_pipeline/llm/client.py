"""One model call: a request goes out once, and an answer or a classified failure comes back. No retries here."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from corpus_pipeline.errors import ProviderRefused
from corpus_pipeline.llm import failures, tokens
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer
from corpus_pipeline.llm.connections import Connections, Reply
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.reader import left
from corpus_pipeline.llm.reader.channel import Channel
from corpus_pipeline.llm.styles import STYLES
from corpus_pipeline.model import Answer, Request

RESPONSE_CAP_BYTES = 32 * 1024 * 1024
FILE_CAP_BYTES = 1024 * 1024 * 1024
_READER_SECONDS = 5.0  # after which a reader that does not keep the deadline itself is not waited for

# at lower levels these write requests, which hold what people wrote and keys
for _name in ("aiohttp", "openai", "httpx", "httpx2", "httpcore", "httpcore2"):
    logging.getLogger(_name).setLevel(max(logging.WARNING, logging.getLogger(_name).level))

HeaderObserver = Callable[[Mapping[str, str]], None]


class ModelClient:
    """Calls one endpoint. Use as `async with ModelClient(...) as client`, in one event loop.

    connections: at least the number of calls in flight. observe: told the headers of every response, for learning the
    provider's rate limits. reader: sends the calls of `complete` and reads their answers, as long as it lives.
    """

    def __init__(
        self,
        where: Endpoint,
        *,
        connections: int = 128,
        response_cap_bytes: int = RESPONSE_CAP_BYTES,
        observe: HeaderObserver | None = None,
        reader: Channel | None = None,
    ) -> None:
        self._where = where
        self._observe = observe
        self._reader = reader
        self._secrets = left.secrets(where)
        self._style = STYLES[where.style]
        self._auth = self._style.auth(where) | dict(where.headers)
        self._connections = Connections(where, most=connections, cap_bytes=response_cap_bytes)

    @property
    def where(self) -> Endpoint:
        """The endpoint that is called."""
        return self._where

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._connections.close()

    def body(self, request: Request, learnt: Learnt = NOTHING_LEARNT) -> dict[str, Any]:
        """The JSON body as `complete` sends it."""
        return self._style.wire(self._where, request, learnt).body

    async def complete(
        self,
        request: Request,
        *,
        attempt_id: str,
        attempt: int,
        deadline_seconds: float,
        learnt: Learnt = NOTHING_LEARNT,
    ) -> Answer:
        """One attempt at an answer. `attempt_id` and `attempt` (1 is the first) go out as headers.

        learnt: how requests for this model are put to this endpoint. Raises CallRejected, CallFailed or CallRefused, each with
        its `failure`; CancelledError passes through.
        """
        wire = self._style.wire(self._where, request, learnt)
        headers = {
            "Content-Type": "application/json",
            "x-corpus-attempt": str(attempt),
            "x-corpus-attempt-id": attempt_id,
            **wire.headers,
            **(request.options.headers or {}),
        }
        content, reader = dumped(wire.body), self._reader
        if reader is None or not reader.is_open:
            response = await self.send(
                "POST", wire.path, headers=headers, content=content, deadline_seconds=deadline_seconds
            )
        else:
            note = [attempt_id, self._style.name, tokens.expected_input(request), request.max_output_tokens]
            sending = reader.call(
                self._where,
                self._url(wire.path),
                {**headers, **self._auth},
                content,
                seconds=deadline_seconds,
                note=note,
            )
            response = self._successful(await self._guarded(sending, deadline_seconds + _READER_SECONDS))
        request_id = left.request_id(response.headers)
        try:
            return self._style.parse(response.content, request, request_id=request_id)
        except ErrorAnswer as error:
            failure = failures.of_words(
                response.status,
                error.words,
                response.headers,
                in_band=True,
                billed=error.billed,
                secrets=self._secrets,
            )
            raise failure.error() from None
        except BrokenAnswer as error:
            raise failures.broken_body(str(error), request_id=request_id, raw=response.content).error() from None

    async def models(self, *, deadline_seconds: float = 30.0) -> list[str]:
        """The names of the models that the provider has; the cheapest proof that address and key are right."""
        response = await self.send("GET", self._style.models_path or "/models", deadline_seconds=deadline_seconds)
        try:
            return self._style.model_names(orjson.loads(response.content))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise failures.broken_body("the list of models is not one", raw=response.content).error() from None

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        deadline_seconds: float,
    ) -> Reply:
        """One request to a path below the base URL, or to an address of the same host.

        Raises CallRejected, CallFailed or CallRefused when it is not answered with success.
        """
        sending = self._connections.request(method, self._url(path), {**(headers or {}), **self._auth}, content)
        return self._successful(await self._guarded(sending, deadline_seconds))

    async def download(self, path: str, target: Path, *, deadline_seconds: float) -> None:
        """A file of the provider into `target`, which is there only when it is whole. Raises as `send` does."""
        loading = self._connections.download(self._url(path), self._auth, target, cap_bytes=FILE_CAP_BYTES)
        self._successful(await self._guarded(loading, deadline_seconds))

    def _url(self, path: str) -> str:
        """The address of a path. Raises ProviderRefused for one of another host: the key is sent to no other."""
        if path.startswith("/"):
            return f"{self._where.base_url}{path}"
        parts = urlsplit(path)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if (parts.scheme, (parts.hostname or "").lower(), port) != (
            self._where.scheme,
            self._where.host,
            self._where.port,
        ):
            raise ProviderRefused(f"a call to another host than {self._where.origin} was refused.")
        return path

    async def _guarded(self, call: Awaitable[Reply], deadline_seconds: float) -> Reply:
        try:
            async with asyncio.timeout(deadline_seconds):
                reply = await call
        except Exception as error:
            failure = failures.of_call(error, secrets=self._secrets)
            if failure is None:
                raise
            raise failure.error() from None  # the chain would hold the request, and with it the key
        if self._observe is not None:
            self._observe(reply.headers)
        return reply

    def _successful(self, reply: Reply) -> Reply:
        if not reply.is_success:
            failure = failures.from_status(reply.status, reply.headers, reply.content, secrets=self._secrets)
            raise failure.error() from None
        return reply


def dumped(body: dict[str, Any]) -> bytes:
    """The body as JSON; what no encoding can hold (half of an emoji in a row) goes out as its escape."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        return json.dumps(body, separators=(",", ":")).encode("ascii")
