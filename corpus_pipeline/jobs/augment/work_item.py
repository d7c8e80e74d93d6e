"""What is to be made: one conversation under one strategy, one sample of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.jobs.augment.low_water_mark import Batch
from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.model import Answer, Conversation, ConversationId, Request
from corpus_pipeline.stages.augment.requests import request_key
from corpus_pipeline.store.augmented import ItemKey
from corpus_pipeline.store.ledger import StoredAnswer

LARGER = 2  # times the output limit, for an answer that was cut


class Later(ControlFlow):
    """A question is for the next provider batch."""


@dataclass
class Item:
    """What is to be made. batch: what its outcome counts for; None for a replay, whose batch the cursor passed long ago.

    begun: HTTP attempts that earlier runs made for it. known: answers that are paid already, by request key. cut: questions,
    from 0, whose answers the output limit cut: they are asked with a larger one.
    """

    prepared: Prepared
    conversation_id: ConversationId
    conversation: Conversation
    content_hash: bytes
    sample_index: int
    batch: Batch | None
    begun: int = 0
    known: Mapping[str, StoredAnswer] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    replayed: bool = False  # sent back by a person: it is asked at once
    lacks: str | None = None  # a task that it reads, and that failed for this row
    gate: Item | None = None  # the question whether it is wanted, the same for all samples of a conversation
    _first: tuple[Request, str] | None = None  # its first question, from the look for a paid answer until it is asked

    def next_request(self, answers: Sequence[Answer]) -> Request | None:
        """The question that follows these answers, None when they are all. Raises BadAnswer, and what a strategy raises."""
        if not answers and self._first is not None:
            request: Request | None = self._first[0]
        else:
            request = self.prepared.strategy.next_request(self.conversation, tuple(answers), self.sample_index)
        if request is None or len(answers) not in self.cut:
            return request
        return request._replace(max_output_tokens=request.max_output_tokens * LARGER)

    def key_of(self, request: Request) -> str:
        """The identity of a question that `next_request` gave."""
        if self._first is not None and request is self._first[0]:
            return self._first[1]
        return request_key(request, self.sample_index)

    def look_ahead(self) -> str | None:
        """The identity of the first question, which is kept until `forget`; None where there is none, or it cannot be made."""
        try:
            request = self.next_request(())
        except Exception:  # the asker meets the same fault and parks the sample
            return None
        if request is None:
            return None
        key = request_key(request, self.sample_index)
        if not request.media:  # whose bytes are many
            self._first = (request, key)
        return key

    def forget(self) -> None:
        """Keep the first question no longer: it is answered."""
        self._first = None

    @property
    def key(self) -> ItemKey:
        return (self.conversation_id, self.prepared.strategy.label, self.sample_index)
