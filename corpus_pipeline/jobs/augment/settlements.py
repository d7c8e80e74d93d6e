"""How an attempt is booked when it is over: answered, failed, or given up while it was on the wire."""

from __future__ import annotations

import time

from corpus_pipeline.jobs.augment.charging import Charge
from corpus_pipeline.llm.failures import Failure
from corpus_pipeline.model import Answer, NanoDollars, Usage
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store.ledger import GIVEN_UP, Settlement

_NOTHING = Usage(0, 0)
_MAX_MODEL = 128  # characters of a model's name in the database


def answered(attempt_id: str, answer: Answer, charge: Charge, latency_ms: int) -> Settlement:
    """An attempt that brought an answer."""
    return Settlement(
        id=attempt_id,
        state=AttemptState.ANSWERED,
        outcome=answer.finish_reason,
        usage=answer.usage,
        cost=charge.cost,
        latency_ms=latency_ms,
        model_answered=answer.model[:_MAX_MODEL],
        http_status=200,
        provider_request_id=answer.provider_request_id,
        prices=charge.price,
        service_tier=answer.service_tier,
        response_id=answer.response_id,
        remark=answer.usage.remark,
    )


def failed(attempt_id: str, reserved: NanoDollars, failure: Failure, latency_ms: int) -> Settlement:
    """An attempt that brought nothing; one that may have been billed is booked at what was reserved for it."""
    unknown = failure.maybe_billed
    return Settlement(
        id=attempt_id,
        state=AttemptState.UNKNOWN if unknown else AttemptState.ERROR,
        outcome=str(failure.reason),
        usage=_NOTHING,
        cost=reserved if unknown else NanoDollars(0),
        latency_ms=latency_ms,
        http_status=failure.status,
        provider_request_id=failure.request_id,
    )


def given_up(attempt_id: str, reserved: NanoDollars, latency_ms: int) -> Settlement:
    """An attempt that was on the wire when it was cancelled: it may have been billed."""
    return Settlement(attempt_id, AttemptState.UNKNOWN, GIVEN_UP, _NOTHING, reserved, latency_ms)


def since(begun: float) -> int:
    """Milliseconds since a moment of the monotonic clock."""
    return int((time.monotonic() - begun) * 1000)
