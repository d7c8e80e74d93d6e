"""`best_and_worst`: several answers, each scored by the same model; the best one is chosen, the worst one rejected."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from corpus_pipeline.errors import BadAnswer, SampleSkipped
from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.exchange import context_of, last_exchange, replaced
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.form import FieldsFilled, NoLeakedInstruction, NotRepetitive, PlainText
from corpus_pipeline.stages.augment.validators.language import Language
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.skip_reasons import SkipReason

_ANSWER = Step("answer", ("source_prompt",), ("source_system", "conversation"))
_JUDGE = Step("judge", ("source_prompt", "candidate"), ("source_system", "conversation"), ("because", "score"))
_SCORES = ("1", "2", "3", "4", "5")
_MAX_CANDIDATES = 8


class BestAndWorst(Strategy):
    """Asks `candidates` times for an answer, lets each be scored from 1 to 5, and pairs the best with the worst one.

    A row whose answers are all equally good is skipped with the reason `no_difference`, as in the paper.
    """

    name: ClassVar[str] = "best_and_worst"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the best and the worst of several answers, scored by the model itself"
    source: ClassVar[str] = "Yuan et al. (2024), Self-Rewarding Language Models, arXiv:2401.10020"
    steps: ClassVar[tuple[Step, ...]] = (_ANSWER, _JUDGE)
    writes_response: ClassVar[bool] = False
    fields = (*Strategy.fields, "best_score", "worst_score")

    class Params(StrategyParams):
        """Parameters of `best_and_worst`."""

        temperature: float | None = Field(1.0, ge=0, le=2, description="of the answers; null: the provider's default")
        candidates: int = Field(
            4, ge=2, le=_MAX_CANDIDATES, description="answers of which the best and the worst are taken"
        )

    params: Params

    @property
    def questions(self) -> int:
        """An answer and its score, for each candidate."""
        return 2 * self.params.candidates

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        asked, count = len(answers), self.params.candidates
        if asked > count:
            _score(self.object_of(answers[-1], _JUDGE.keys))
        if asked == 2 * count:
            return None
        index = last_exchange(conversation)
        texts = {**context_of(conversation, index), "source_prompt": conversation.turns[index].prompt}
        if asked < count:
            request = self.request(_ANSWER, texts, sample_index=sample_index)
            # answers to one question differ by their seed, so that each is asked and paid once
            return request._replace(seed=(self.params.seed or 0) + sample_index * _MAX_CANDIDATES + asked)
        texts["candidate"] = self.text_of(answers[asked - count])
        request = self.request(_JUDGE, texts, sample_index=sample_index)
        # a judge is asked without chance; its seed tells equal candidates apart
        return request._replace(temperature=None if request.temperature is None else 0.0, seed=asked)

    def _ranked(self, answers: tuple[Answer, ...]) -> list[tuple[int, int]]:
        """(score, number of the answer), the best first; of equals the earlier one."""
        judged = answers[self.params.candidates :]
        scores = [_score(self.object_of(answer, _JUDGE.keys)) for answer in judged]
        return sorted(((score, number) for number, score in enumerate(scores)), key=lambda one: (-one[0], one[1]))

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`. Raises SampleSkipped when no answer is better than another."""
        ranked = self._ranked(answers)
        (best, chosen), (worst, rejected) = ranked[0], ranked[-1]
        winner, loser = (self.text_of(answers[number]) for number in (chosen, rejected))
        if best == worst or winner == loser:
            raise SampleSkipped(str(SkipReason.NO_DIFFERENCE))
        return replaced(conversation, response=winner, rejected=loser, reasoning=self.reasoning_of(answers[chosen]))

    def values_of(self, conversation: Conversation, answers: tuple[Answer, ...]) -> dict[str, Any] | None:
        """See `Strategy.values_of`."""
        ranked = self._ranked(answers)
        return {"best_score": ranked[0][0], "worst_score": ranked[-1][0]}

    def _validators(self) -> tuple[Validator, ...]:
        return (
            FieldsFilled(("response",)),
            NoLeakedInstruction(("response", "rejected")),
            PlainText(("response",)),
            NotRepetitive(("response",)),
            Language(("response",)),
        )


def _score(found: dict[str, str]) -> int:
    said = found["score"].strip()
    if said not in _SCORES:
        raise BadAnswer(BadReason.MALFORMED, f"the score is {said[:20]!r} and not 1 to 5")
    return int(said)
