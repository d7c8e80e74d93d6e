"""One item: a conversation under a strategy, from its first question to a new row or a failed sample."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import orjson

from corpus_pipeline.error_words import in_words
from corpus_pipeline.errors import BadAnswer, ControlFlow, SampleSkipped
from corpus_pipeline.jobs.augment.attempts import Caller
from corpus_pipeline.jobs.augment.early_stop import EarlyStop, SameScores, tolerance
from corpus_pipeline.jobs.augment.group_commit import GROUP_SECONDS, Writer
from corpus_pipeline.jobs.augment.work_item import Item, Later
from corpus_pipeline.llm.failures import CallFailed, CallRejected
from corpus_pipeline.model import Answer, AugmentedRow, Request, Turn, split_id
from corpus_pipeline.recipe import AugmentSection
from corpus_pipeline.stages.augment.requests import shown_messages
from corpus_pipeline.stages.augment.strategies import Gate, accept
from corpus_pipeline.stages.augment.strategies.base import Accepted, Cleaning
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.states import ItemState
from corpus_pipeline.store import failed_samples
from corpus_pipeline.store.augmented import ItemKey, Provenance
from corpus_pipeline.store.ledger import StoredAnswer

EARLY_STOP = "early stop"  # who sets the pause flag when more samples fail than the recipe tolerates
_MAX_REASON = 32  # characters of a reason word in the database
_VERDICTS = 4096  # more than there are items under way


@dataclass
class _Last:
    """The last request and answer of an item: what a failed sample shows."""

    request: Request | None = None
    request_key: str | None = None
    answer: Answer | None = None


@dataclass
class _Asked:
    """What became of an item's questions: every one was answered well, in these turns."""

    row: Accepted
    values: dict[str, Any] | None
    answers: list[StoredAnswer]
    request_key: str
    paid_now: bool


class ItemFailed(ControlFlow):
    """An item that fails: where it ended, and why."""

    def __init__(self, last: _Last, reason: str, error: str, attempts: int, fault: BadAnswer | None = None) -> None:
        super().__init__(reason)
        self.last, self.reason, self.error, self.attempts, self.fault = last, reason, error, attempts, fault


class Asker:
    """Brings items to their outcomes. ready: done when answers can be judged; cleaning: what new rows pass;
    accepted: failed samples that the recipe lets the export go out with."""

    def __init__(
        self,
        caller: Caller,
        writer: Writer,
        section: AugmentSection,
        ready: asyncio.Future[None],
        cleaning: Cleaning,
        accepted: int = 0,
    ) -> None:
        self._cleaning, self._accepted = cleaning, accepted
        self._caller = caller
        self._writer = writer
        self._section = section
        self._answer_retries = section.answer_retries
        self._early: dict[str, EarlyStop] = {}
        self._scores: dict[str, SameScores] = {}
        self._ready = ready
        self._turns = caller.turns
        self._verdicts: dict[ItemKey, asyncio.Future[_Asked]] = {}  # of judges, the newest

    async def make(self, item: Item) -> None:
        """Bring one item to its outcome and commit it. Raises Stopped, ProviderRefused, or what a commit raises."""
        if item.lacks is not None:
            error = f"{item.lacks} failed for this row: replay both once it is mended"
            await self._park(item, ItemFailed(_Last(), str(SkipReason.NO_INPUT), error, 0))
            return
        if not await self.look(item):
            return
        try:
            asked = await self._asked(item)
        except ItemFailed as lost:
            await self._park(item, lost)
            return
        except SampleSkipped as skipped:
            await self._settled(item, ItemState.SKIPPED, str(skipped))
            return
        row = _made(item, asked)
        provenance = Provenance(
            item.prepared.prompt_version,
            asked.request_key,
            asked.answers[-1].answer.model,
            item.content_hash,
            _notes(asked.row),
        )
        self._writer.unit.make(row, provenance)
        # what a batch of its own answered was paid for it, and is nothing that was saved
        by_own_batch = item.prepared.by_batch and item.begun > 0
        self._early_of(item).succeeded()
        await self._settled(item, ItemState.DONE, None, reused=not asked.paid_now and not by_own_batch)
        await self._require_different_scores(item, asked.values)

    async def _require_different_scores(self, item: Item, values: dict[str, Any] | None) -> None:
        """Pause where a judge gives the same score to one row after another."""
        strategy = item.prepared.strategy
        score = None if strategy.score_field is None else (values or {}).get(strategy.score_field)
        if not isinstance(score, int | float):
            return
        scores = self._scores.get(strategy.label)
        if scores is None:
            scores = self._scores[strategy.label] = SameScores(strategy.label, self._section.completion.same_scores)
        if scores.add(score):
            raise await self._caller.pause(EARLY_STOP, scores.sentence())

    async def look(self, item: Item) -> bool:
        """Whether the judge before an item lets it through, if there is one; else the item has its outcome."""
        if item.gate is None:
            return True
        try:
            if await self._is_wanted(item.gate):
                return True
        except ItemFailed as lost:
            await self._park(item, lost)
        else:
            await self._settled(item, ItemState.SKIPPED, str(SkipReason.CASCADE))
        return False

    async def _is_wanted(self, gate: Item) -> bool:
        """What the judge says. Several samples of a conversation ask at once and share one call."""
        verdict = self._verdicts.get(gate.key)
        if verdict is None:
            verdict = self._verdicts[gate.key] = asyncio.ensure_future(self._asked(gate))
            while len(self._verdicts) > _VERDICTS and next(iter(self._verdicts.values())).done():
                del self._verdicts[next(iter(self._verdicts))]
        asked = await asyncio.shield(verdict)
        judge = gate.prepared.strategy
        assert isinstance(judge, Gate)
        return judge.passes(asked.answers[-1].answer)

    async def give_up(self) -> None:
        """Cancel the judges' calls that are under way."""
        under_way = [verdict for verdict in self._verdicts.values() if not verdict.done()]
        for verdict in under_way:
            verdict.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _settled(self, item: Item, state: ItemState, reason: str | None, *, reused: bool = False) -> None:
        """An outcome that is no failure, committed with what was added before."""
        unit = self._writer.unit
        unit.finish((item.key, state, reason, reused))
        if item.batch is None:
            unit.resolve(item.key)
        self._finished(item, failed=0)
        await self._writer.committed(within=GROUP_SECONDS)

    async def _asked(self, item: Item) -> _Asked:
        """All questions of an item, answered and judged. Raises ItemFailed when it fails."""
        last = _Last()
        answers: list[StoredAnswer] = []
        seen: set[str] = set()  # attempts whose answers it had
        attempts, tries_left, paid_now = item.begun, self._answer_retries, False
        reason, detail = "", ""  # of the last answer that was no good
        while True:
            try:
                if answers:
                    await self._turns.turn()
                request, row, values = _next(item, answers, self._cleaning)
                if request is None:
                    break
                key = item.key_of(request)
                last.request, last.request_key = request, key
                stored = item.known.get(key)
                if stored is None or stored.attempt_id in {a.attempt_id for a in answers}:
                    seen |= {a.attempt_id for a in answers}
                    stored, attempts, paid = await self._caller.ask(
                        item, request, key, len(answers) + 1, attempts, seen
                    )
                    paid_now |= paid
                await self._until_ready()
                item.forget()
                answers.append(stored)
                last.answer = stored.answer
            except BadAnswer as fault:
                if answers and not isinstance(fault, CallRejected):
                    bad = answers.pop()
                    seen.add(bad.attempt_id)
                    self._writer.unit.reject(bad.attempt_id, str(fault.reason))
                    item.known = {k: v for k, v in item.known.items() if v.attempt_id != bad.attempt_id}
                    if tries_left > 0:
                        tries_left -= 1
                        reason, detail = str(fault.reason), fault.detail
                        if fault.reason is BadReason.CUT:
                            item.cut.add(len(answers))
                        continue
                raise ItemFailed(last, str(fault.reason), fault.detail, attempts - item.begun, fault) from None
            except Later:
                if reason and item.begun >= item.prepared.strategy.questions + self._answer_retries:
                    raise ItemFailed(last, reason, detail, attempts - item.begun) from None
                raise
            except CallFailed as error:
                failure = error.failure
                raise ItemFailed(last, str(failure.reason), failure.message, attempts - item.begun) from None
        assert last.request_key is not None
        return _Asked(row, values, answers, last.request_key, paid_now)

    async def _park(self, item: Item, lost: ItemFailed) -> None:
        last = lost.last
        prompt = None if last.request is None else json.dumps(shown_messages(last.request))
        answer = last.answer
        unit = self._writer.unit
        unit.fail(
            failed_samples.Failure(
                key=item.key,
                request_key=last.request_key,
                reason=lost.reason,
                error=_whole(lost.error),
                prompt=prompt,
                answer=None if answer is None else _whole(answer.refusal or answer.text),
                model=item.prepared.strategy.model if last.request is None else last.request.model,
                attempts=max(1, lost.attempts),
                validator=None if lost.fault is None else lost.fault.validator,
                evidence=() if lost.fault is None else tuple(map(_whole, lost.fault.evidence)),
            )
        )
        unit.finish((item.key, ItemState.FAILED, lost.reason, False))
        self._finished(item, failed=1)
        early = self._early_of(item)
        # what failed in the task before it is counted there
        is_too_much = item.lacks is None and early.failed(_named(item), lost.reason, lost.error)
        if is_too_much:
            self._turns.close()
        await self._writer.committed(within=GROUP_SECONDS)
        if is_too_much:
            raise await self._caller.pause(EARLY_STOP, early.sentence())

    def _early_of(self, item: Item) -> EarlyStop:
        label = item.prepared.strategy.label
        if label not in self._early:
            allowed = tolerance(self._section.completion)
            self._early[label] = EarlyStop(
                label, allowed, strategies=len(self._section.strategies), accepted=self._accepted
            )
        return self._early[label]

    @staticmethod
    def _finished(item: Item, *, failed: int) -> None:
        if item.batch is not None:
            item.batch.open_items -= 1
            item.batch.failed += failed

    async def _until_ready(self) -> None:
        """Until answers can be judged; those who wait for it do not keep others from being asked."""
        if self._ready.done():
            self._ready.result()
        else:
            await self._caller.aside(asyncio.shield(self._ready))


_NO_ROW = Accepted(())


def _made(item: Item, asked: _Asked) -> AugmentedRow:
    strategy = item.prepared.strategy
    tag = strategy.tag_of(asked.values)
    return AugmentedRow(
        item.conversation_id,
        strategy.label,
        item.sample_index,
        asked.row.turns,
        asked.values,
        tag,
        None if tag is None else strategy.tag_field,
    )


def _next(
    item: Item, answers: list[StoredAnswer], cleaning: Cleaning
) -> tuple[Request | None, Accepted, dict[str, Any] | None]:
    """The next question of an item, or the row and the values that its answers make.

    Raises BadAnswer; whatever else goes wrong in the work on one answer concerns this answer, and has its exception's name.
    """
    strategy = item.prepared.strategy
    try:
        request = item.next_request(_bare(answers))
        if request is not None:
            return request, _NO_ROW, None
        # a judge before a strategy makes no row
        row = accept(strategy, item.conversation, _bare(answers), None if isinstance(strategy, Gate) else cleaning)
        values = strategy.values_of(item.conversation, _bare(answers))
        _require_storable(row.turns)
        json.dumps(values, ensure_ascii=False).encode("utf-8")
        return None, row, values
    except (BadAnswer, SampleSkipped):
        raise
    except Exception as error:
        raise BadAnswer(type(error).__name__[:_MAX_REASON], in_words(error)) from error


def _notes(row: Accepted) -> str | None:
    """What is remarkable of a new row, None when nothing."""
    said = {"tags": list(row.tags), "changes": dict(row.changes)}
    return orjson.dumps({key: value for key, value in said.items() if value}).decode() if any(said.values()) else None


def _require_storable(turns: tuple[Turn, ...]) -> None:
    """Raise what storing them would raise, while it is still known whose they are."""
    for turn in turns:
        for _, text in turn.texts():
            text.encode("utf-8")
        if turn.extra:
            orjson.dumps(turn.extra)


def _named(item: Item) -> str:
    return f"row {split_id(item.conversation_id)[1]}"


def _whole(text: str) -> str:
    """A text that every database can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _bare(answers: list[StoredAnswer]) -> tuple[Answer, ...]:
    return tuple(stored.answer for stored in answers)
