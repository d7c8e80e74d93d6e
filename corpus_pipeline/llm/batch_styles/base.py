"""What a provider's Batch API is to us: requests that go in together, a batch to ask after, results that come in files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.llm import chat_completions, error_bodies, failures
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer
from corpus_pipeline.llm.connections import Reply
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.failures import Failure
from corpus_pipeline.model import Answer, Request

PAGE = 100
Send = Callable[..., Awaitable[Reply]]  # method, path, and by name headers and content


class Chunk(NamedTuple):
    """The requests of one batch, to one model, a line each, within the provider's limits."""

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
    Outcome.COMPLETED: "completed complete succeeded partially_succeeded success ended done finished",
    Outcome.EXPIRED: "expired timeout timed_out",
    Outcome.CANCELLED: "cancelled canceled",
}
_OUTCOMES = {word: outcome for outcome, words in _WORDS.items() for word in words.split()}


class FileGone(ControlFlow):
    """A file of a batch is not at the provider."""


class Batch(NamedTuple):
    """A batch as the provider describes it. status: its word. errors: why the input was refused, redacted.

    is_certain: of a batch that was found: it is known to be the one that was looked for.
    """

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
    is_certain: bool = True

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


class Sought(NamedTuple):
    """A batch that may have been made. custom_ids: of its requests. known: ids of batches that are others'."""

    key: str
    file_id: str | None = None
    custom_ids: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    created_after: int = 0  # Unix time at which the search may end, as lists are newest first


class Result(NamedTuple):
    """What became of one request: an answer or a failure; `unworked` ones cost nothing and may be sent again."""

    custom_id: str
    answer: Answer | None
    failure: Failure | None
    unworked: bool = False


class BatchStyle(ABC):
    """The Batch API of one provider. Instances hold no state."""

    max_requests: ClassVar[int] = 50_000
    max_bytes: ClassVar[int] = 200 * 1000 * 1000

    @abstractmethod
    def entry(self, where: Endpoint | None, custom_id: str, request: Request, learnt: Learnt = NOTHING_LEARNT) -> Any:
        """One request of the input, as JSON."""

    @abstractmethod
    async def upload(self, send: Send, where: Endpoint, chunk: Chunk) -> str:
        """Send the input file; returns its id. A file alone costs nothing and starts nothing."""

    @abstractmethod
    async def create(
        self, send: Send, where: Endpoint, chunk: Chunk, file_id: str, metadata: Mapping[str, str]
    ) -> Batch:
        """Start the batch."""

    @abstractmethod
    async def page(self, send: Send, where: Endpoint, after: str | None) -> tuple[list[Batch], str | None]:
        """(some batches, newest first, where the next ones begin)."""

    @abstractmethod
    async def status(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """The batch now."""

    @abstractmethod
    async def cancel(self, send: Send, where: Endpoint, batch_id: str) -> Batch:
        """Ask to stop it."""

    @abstractmethod
    def files(self, where: Endpoint, batch: Batch) -> list[str]:
        """Where its results are to be had. Raises FileGone."""

    @abstractmethod
    def result(self, entry: dict[str, Any], requests: Mapping[str, Request]) -> Result | None:
        """What a line of the results says; None when it is not to be read. Raises Foreign for a request of others."""

    def is_sought(self, batch: Batch, sought: Sought) -> bool:
        """Whether a batch may be the one that is looked for."""
        return batch.metadata.get(KEY_FIELD) == sought.key or bool(
            sought.file_id and batch.input_file_id == sought.file_id
        )


KEY_FIELD = "corpus_chunk"


class Foreign(ControlFlow):
    """A line about a request that is not ours."""


def own(custom_id: Any, requests: Collection[str]) -> str | None:
    """The id of a line; None when there is none. Raises Foreign when it is not ours."""
    if not isinstance(custom_id, str):
        return None
    if custom_id not in requests:
        raise Foreign
    return custom_id


def answered(custom_id: str, completion: Any, request: Request, request_id: str | None = None) -> Result:
    """The result of a request that was answered with a chat completion."""
    try:
        return Result(custom_id, chat_completions.parse_body(completion, request, request_id=request_id), None)
    except ErrorAnswer as error:
        failure = failures.of_words(200, error.words, {}, in_band=True, billed=error.billed)
        return Result(custom_id, None, failure)
    except BrokenAnswer as error:
        return Result(custom_id, None, failures.broken_body(str(error), request_id=request_id))


def refused(custom_id: str, error: Any) -> Result:
    """The result of a request that came to an error of the provider's."""
    words = error_bodies.of_json(error if isinstance(error, dict) else {"message": str(error)})
    return Result(custom_id, None, failures.of_words(200, words, {}, in_band=True))


def count(value: Any) -> int:
    """A number of a provider, which may be a text."""
    try:
        return max(0, int(value or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
