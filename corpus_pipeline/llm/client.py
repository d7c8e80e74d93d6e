"""One model call: a request goes out once, and an answer or a classified failure comes back. No retries here."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import httpx2
import openai
import orjson

from corpus_pipeline.llm import failures
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.llm.styles import STYLES
from corpus_pipeline.llm.transport import SENT, CheckedTransport, TooMuch
from corpus_pipeline.model import Answer, Request

RESPONSE_CAP_BYTES = 32 * 1024 * 1024
FILE_CAP_BYTES = 1024 * 1024 * 1024
_CONNECT_SECONDS = 10.0
_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "x-goog-request-id")
# the SDK refuses to start without a key; servers on this machine often have none, and then no header is sent
_NO_KEY = "none"

# at lower levels these write requests, which hold what people wrote and keys
for _name in ("openai", "httpx", "httpx2", "httpcore", "httpcore2"):
    logging.getLogger(_name).setLevel(max(logging.WARNING, logging.getLogger(_name).level))

HeaderObserver = Callable[[Mapping[str, str]], None]


class ModelClient:
    """Calls one endpoint. Use as `async with ModelClient(...) as client`, in one event loop.

    connections: at least the number of calls in flight. observe: told the headers of every response, for learning the
    provider's rate limits.
    """

    def __init__(
        self,
        where: Endpoint,
        *,
        connections: int = 128,
        response_cap_bytes: int = RESPONSE_CAP_BYTES,
        observe: HeaderObserver | None = None,
    ) -> None:
        self._where = where
        self._observe = observe
        self._secrets = (where.api_key, *(value for _, value in where.headers))
        self._style = STYLES[where.style]
        self._auth = self._style.auth(where) | dict(where.headers)
        self._http = httpx2.AsyncClient(
            transport=CheckedTransport(
                where, connections=connections, cap_bytes=response_cap_bytes, file_cap_bytes=FILE_CAP_BYTES
            ),
            timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),  # the total deadline is ours
            follow_redirects=False,
            trust_env=False,
        )

    @cached_property
    def sdk(self) -> openai.AsyncOpenAI:
        """OpenAI's SDK over the same connections: files and batches go through it."""
        return openai.AsyncOpenAI(
            api_key=self._where.api_key or _NO_KEY,
            base_url=self._where.base_url,
            max_retries=0,
            http_client=self._http,
            default_headers=self._auth or None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

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
        response = await self._send("POST", wire.path, headers, _dumped(wire.body), deadline_seconds)
        request_id = next((found for name in _REQUEST_IDS if (found := response.headers.get(name))), None)
        try:
            return self._style.parse(response.content, request, request_id=request_id)
        except ErrorAnswer as error:
            failure = failures.of_words(
                response.status_code,
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
        response = await self._send("GET", self._style.models_path or "/models", {}, None, deadline_seconds)
        try:
            return self._style.model_names(orjson.loads(response.content))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise failures.broken_body("the list of models is not one", raw=response.content).error() from None

    async def _send(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None, deadline_seconds: float
    ) -> httpx2.Response:
        """One request. Raises CallRejected, CallFailed or CallRefused when it is not answered with success."""
        sent = {**headers, **self._auth}
        try:
            async with asyncio.timeout(deadline_seconds):
                response = await self._http.request(
                    method,
                    f"{self._where.base_url}{path}",
                    content=content,
                    headers=sent,
                    extensions={SENT: frozenset(name.lower().encode() for name in sent)},
                )
        except Exception as error:
            failure = self._failure(error)
            if failure is None:
                raise
            raise failure.error() from None  # the chain would hold the request, and with it the key
        self._tell(response)
        if not response.is_success:
            failure = failures.from_status(
                response.status_code, response.headers, response.content, secrets=self._secrets
            )
            raise failure.error() from None
        return response

    def classified(self, error: Exception) -> Exception:
        """The error to raise for one that the SDK raised; the same when it is not the provider's doing."""
        failure = self._failure(error)
        return error if failure is None else failure.error()

    def _failure(self, error: Exception) -> Failure | None:
        if isinstance(error, openai.APIStatusError):  # of files and batches
            self._tell(error.response)
            return failures.from_status(
                error.status_code, error.response.headers, error.response.content, secrets=self._secrets
            )
        cause = error.__cause__ or error
        if isinstance(cause, TooMuch):
            return failures.broken_body(str(cause))
        if isinstance(error, TimeoutError):
            return Failure(Reason.TIMEOUT, "the deadline of the call passed", maybe_billed=True)
        return failures.from_exception(error, secrets=self._secrets)

    def _tell(self, response: httpx2.Response) -> None:
        if self._observe is not None:
            self._observe(response.headers)


def _dumped(body: dict[str, Any]) -> bytes:
    """The body as JSON; what no encoding can hold (half of an emoji in a row) goes out as its escape."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        return json.dumps(body, separators=(",", ":")).encode("ascii")
