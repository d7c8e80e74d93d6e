"""What a provider batch brought, stored once: an answer, a failure, or a request of which nothing is known any more.

Everything in the provider's files is checked: the first line of a request counts, what cannot be read is fetched again, and a
request that was worked although its line is not there is booked at the most that it can have cost.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Row

from corpus_pipeline import failpoints
from corpus_pipeline.jobs.augment import settlements
from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm import batch_api
from corpus_pipeline.llm.batch_api import Batch, BatchClient, Result
from corpus_pipeline.llm.failures import Failure
from corpus_pipeline.llm.usage import MAX_TOKENS
from corpus_pipeline.model import Answer, NanoDollars, Request
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store import provider_batches
from corpus_pipeline.store.ledger import Settlement

log = logging.getLogger(__name__)

_TAKE_IN = 500  # results a transaction
_DOWNLOADS = 3  # of a file that seems cut
_NOTHING_ASKED = ({"role": "user", "content": ""},)

Commit = Callable[..., Awaitable[object]]


@dataclass
class Intake:
    """What one batch came to."""

    answered: int = 0
    lines: int = 0  # of requests of ours, each counted once
    repeated: int = 0
    unreadable: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)  # by request key

    def is_whole(self, batch: Batch) -> bool:
        """Whether the files hold all that the provider says it has worked."""
        return not self.unreadable and batch.total > 0 and self.answered >= batch.completed


class Taker:
    """Collects final batches of one run. asked: the strategies and judges by label."""

    def __init__(self, held: Held, asked: dict[str, Prepared], commit: Commit, charger: Charger) -> None:
        self._held, self._asked, self._commit, self._charger = held, asked, commit, charger

    async def take_in(
        self, api: BatchClient, row: Row, batch: Batch, patiently: Callable[..., Awaitable[list[Path]]]
    ) -> Intake:
        """Store everything that a final batch brought, and close it. Raises FileGone when a file of it is not there."""
        entries = {entry.id: entry for entry in self._held.fetch(provider_batches.requests_of, row.id)}
        open_ids = {identifier for identifier, entry in entries.items() if entry.state == AttemptState.INTENT}
        intake = Intake()
        for attempt in range(_DOWNLOADS):
            intake = Intake()
            with tempfile.TemporaryDirectory(prefix="corpus-batch-") as folder:
                paths = await patiently(lambda folder=folder: api.download(batch, Path(folder)))
                await self._read(api.results(paths, _asked(entries)), entries, open_ids, intake)
            if not intake.unreadable and intake.answered >= batch.completed:
                break
            log.warning(
                "batch %s: %d of %d answers can be read, %d lines cannot (download %d)",
                *(row.provider_id, intake.answered, batch.completed, intake.unreadable, attempt + 1),
            )
        failpoints.point("batch taken in")
        if intake.repeated:
            log.warning("batch %s: %d lines came twice; the first of each counts", row.provider_id, intake.repeated)
        free = intake.is_whole(batch) or batch.outcome is batch_api.Outcome.FAILED
        if (
            not free and batch.total == 0
        ):  # it says no numbers: only a batch that was cut short leaves requests unworked
            free = batch.outcome in (batch_api.Outcome.EXPIRED, batch_api.Outcome.CANCELLED) and not intake.unreadable
        lost = await self._commit(provider_batches.taken, row.id, batch.status, batch.errors, unknown=not free)
        if lost:
            log.warning(
                "batch %s: %s requests have no line that can be read; they are booked at the most that they can have cost",
                *(row.provider_id, lost),
            )
        return intake

    async def _read(
        self, found: Iterable[Result | None], entries: dict[str, Row], open_ids: set[str], intake: Intake
    ) -> None:
        seen: set[str] = set()
        some: list[Result] = []
        for result in found:
            if result is None:
                intake.unreadable += 1
            elif result.custom_id in seen:
                intake.repeated += 1
            else:
                seen.add(result.custom_id)
                intake.lines += 1
                intake.answered += result.answer is not None
                if result.failure is not None and not result.unworked:
                    intake.failures[entries[result.custom_id].request_key] = result.failure
                if result.custom_id in open_ids and not result.unworked:
                    some.append(result)
            if len(some) >= _TAKE_IN:
                await self._store(some, entries)
                some = []
        if some:
            await self._store(some, entries)

    async def _store(self, some: Sequence[Result], entries: dict[str, Row]) -> None:
        settlements: list[Settlement] = []
        answers: list[tuple[str, str, Answer]] = []
        for result in some:
            entry = entries[result.custom_id]
            settlements.append(self._settlement(result, entry, self._asked[entry.strategy]))
            if result.answer is not None:
                answers.append((entry.id, entry.request_key, result.answer))
        await self._commit(provider_batches.take_in, self._held.store.backend, settlements, answers)

    def _settlement(self, result: Result, entry: Row, prepared: Prepared) -> Settlement:
        """What a result means for its ledger row. How long a request took inside of a batch no one says."""
        if result.answer is not None:
            answer = result.answer
            charge = self._charger.charge(prepared, Request(entry.model, (), MAX_TOKENS), answer, batch=True)
            return settlements.answered(entry.id, answer, charge, 0)
        failure = result.failure
        assert failure is not None
        return settlements.failed(entry.id, NanoDollars(entry.reserved), failure, 0)


def _asked(entries: dict[str, Row]) -> dict[str, Request]:
    """The requests by their ids; what they hold is needed only where an answer comes without its usage."""
    return {identifier: Request(entry.model, _NOTHING_ASKED, 1) for identifier, entry in entries.items()}
