"""One model call: a request goes out once, and an answer or a classified failure comes back. No retries here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx2
import openai
import orjson

from corpus_pipeline.llm import chat_completions, failures
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.llm.transport import CheckedTransport, TooMuch
from corpus_pipeline.model import Answer, Request

RESPONSE_CAP_BYTES = 32 * 1024 * 1024
FILE_CAP_BYTES = 1024 * 1024 * 1024
_CONNECT_SECONDS = 10.0
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
        self._secrets = (where.api_key,)
        http = httpx2.AsyncClient(
            transport=CheckedTransport(
                where, connections=connections, cap_bytes=response_cap_bytes, file_cap_bytes=FILE_CAP_BYTES
            ),
            timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),  # the total deadline is ours
            follow_redirects=False,
            trust_env=False,
        )
        self.sdk = openai.AsyncOpenAI(
            api_key=where.api_key or _NO_KEY,
            base_url=where.base_url,
            max_retries=0,
            http_client=http,
            default_headers={"Authorization": f"Bearer {where.api_key}"} if where.api_key else None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.sdk.close()

    async def complete(self, request: Request, *, attempt_id: str, attempt: int, deadline_seconds: float) -> Answer:
        """One attempt at an answer, through the OpenAI SDK. `attempt_id` and `attempt` (1 is the first) go out as headers.

        Raises CallRejected, CallFailed or CallRefused, each with its `failure`; CancelledError passes through.
        """
        try:
            async with asyncio.timeout(deadline_seconds):
                response = await self.sdk.post(
                    "/chat/completions",
                    cast_to=httpx2.Response,
                    content=orjson.dumps(chat_completions.request_body(request)),
                    options={
                        "headers": {
                            "Content-Type": "application/json",
                            "x-corpus-attempt": str(attempt),
                            "x-corpus-attempt-id": attempt_id,
                        }
                    },
                )
        except Exception as error:
            failure = self._failure(error)
            if failure is None:
                raise
            raise failure.error() from None  # the chain would hold the request, and with it the key
        self._tell(response)
        request_id = response.headers.get("x-request-id")
        try:
            return chat_completions.parse_completion(response.content, request, request_id=request_id)
        except chat_completions.BrokenAnswer as error:
            raise failures.broken_body(str(error), request_id=request_id).error() from None

    async def models(self, *, deadline_seconds: float = 30.0) -> list[str]:
        """The names of the models that the provider has; the cheapest proof that address and key are right."""
        try:
            async with asyncio.timeout(deadline_seconds):
                response = await self.sdk.get("/models", cast_to=httpx2.Response)
                return [str(model["id"]) for model in orjson.loads(response.content)["data"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise failures.broken_body("the list of models is not one").error() from None
        except Exception as error:
            raise self.classified(error) from None

    def classified(self, error: Exception) -> Exception:
        """The error to raise for one that the SDK raised; the same when it is not the provider's doing."""
        failure = self._failure(error)
        return error if failure is None else failure.error()

    def _failure(self, error: Exception) -> Failure | None:
        if isinstance(error, openai.APIStatusError):
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
