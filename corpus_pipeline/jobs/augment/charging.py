"""What a call is reserved at and what its answer is charged at, and what of a provider's statements a person should know.

What an answer says decides: its model, its service tier, its tokens. A server that writes on beyond the output limit, or
answers in a dearer tier, is noticed at its first answer; from then on calls are reserved at what it really does.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.llm import prices, tokens
from corpus_pipeline.llm.prices import TokenPrice
from corpus_pipeline.model import Answer, NanoDollars, Request

log = logging.getLogger(__name__)

_SLACK_TOKENS = 32  # of an output limit: servers count the end of an answer, and a few tokens of a template


class Charge(NamedTuple):
    """What an answer costs, and at which unit price."""

    cost: NanoDollars
    price: TokenPrice


def is_beyond_limit(request: Request, answer: Answer) -> bool:
    """Whether a server wrote more than it was allowed."""
    return not answer.usage.estimated and answer.usage.output_tokens > request.max_output_tokens + _SLACK_TOKENS


class Charger:
    """The prices of one run; it remembers what was said already, and what a server does to the limits."""

    def __init__(self) -> None:
        self._told: set[tuple[str, ...]] = set()
        self._excess: dict[str, float] = {}  # by model: how many times the output limit its longest answer was
        self._tiers: dict[str, set[str]] = {}  # by model: tiers that answers came in
        self.output_limit_note = ""  # why reservations are larger than limits

    def reserve(self, prepared: Prepared, request: Request, *, batch: bool = False) -> tuple[NanoDollars, TokenPrice]:
        """(the most that a call can cost as far as we know, the unit price that it is expected to have)."""
        most = tokens.input_bound(request)
        tier = prices.BATCH if batch else request.options.service_tier
        asked = prepared.price.of(tier, most)
        bounds = [asked]
        if not batch:
            seen = self._tiers.get(request.model, ())
            bounds += [prepared.price.of(word, most) for word in ("", *seen)]
        ceiling = TokenPrice(*(max(parts) for parts in zip(*bounds, strict=True)))
        output = round(request.max_output_tokens * self._excess.get(request.model, 1.0))
        return prices.upper_bound(most, output, ceiling), asked

    def charge(
        self,
        prepared: Prepared,
        request: Request,
        answer: Answer,
        *,
        batch: bool = False,
        trusts_limit: bool = False,
    ) -> Charge:
        """What an answer costs; says what a person should know of it, each thing once.

        trusts_limit: also where this answer is longer, the next ones are not.
        """
        price = prepared.price
        if not prices.is_same_model(request.model, answer.model):
            other = prepared.book.known(answer.model)
            charged = "at the price of the model that was asked" if other is None else "at the price of its own"
            self._say(
                "model",
                request.model,
                answer.model,
                words=f"asked for {request.model}, answered by {answer.model!r}; booked {charged}",
            )
            price = other or price
        elif answer.model and answer.model != request.model and request.model not in prepared.book.own:
            price = prepared.book.known(answer.model) or price
        tier = prices.BATCH if batch else answer.service_tier
        word = prices.tier_word(tier)
        if word and not price.has_tier(word):
            told = (
                f"{request.model} answers in the service tier {word!r}, whose price is not known: booked at the standard price."
                f" Set it in the recipe: augment.prices.{request.model}.tiers.{word}"
            )
            self._say("tier", request.model, word, words=told)
        elif word and not batch:
            self._tiers.setdefault(request.model, set()).add(word)
        usage = answer.usage
        if usage.remark is not None:
            self._say(
                "usage",
                request.model,
                words=f"{request.model}: the provider's numbers do not agree ({usage.remark}); the larger ones are counted",
            )
        if not trusts_limit and is_beyond_limit(request, answer):
            self._note_excess(request, answer.usage.output_tokens)
        unit = price.of(word, usage.input_tokens)
        return Charge(prices.cost(usage, unit), unit)

    def _note_excess(self, request: Request, written: int) -> None:
        limit = request.max_output_tokens
        self._excess[request.model] = max(self._excess.get(request.model, 1.0), written / max(1, limit))
        self.output_limit_note = (
            f"{request.model} does not keep the output limit: {written:,} tokens were written where {limit:,} were allowed;"
            " calls are reserved at that from now on"
        )
        self._say("limit", request.model, words=self.output_limit_note)

    def _say(self, *key: str, words: str) -> None:
        if key not in self._told:
            self._told.add(key)
            log.warning("%s", words)
