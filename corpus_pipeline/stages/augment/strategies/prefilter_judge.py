"""The judge of a cascade: one short question to a cheap model, whose score decides about the dear strategy."""

from __future__ import annotations

from typing import ClassVar

from corpus_pipeline.errors import BadAnswer, UsageError
from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.recipe import options_of
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams, accept
from corpus_pipeline.stages.augment.strategies.exchange import sections_of
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.words import BadReason

_STEP = Step("judge", ("source_prompt", "source_response"), ("source_system", "conversation"), ("because", "score"))
JUDGE = ".first"  # behind the label of its strategy: the judge's own
_LONGEST_LABEL = 64 - len(JUDGE)


class Gate(Strategy):
    """Asked once for a conversation, whatever number of samples is wanted of it. It makes no row."""

    name: ClassVar[str] = "first"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a cheap model scores each row, and only those with a high score go on"
    source: ClassVar[str] = "Chen et al. (2023), FrugalGPT, arXiv:2305.05176"
    steps: ClassVar[tuple[Step, ...]] = (_STEP,)
    writes_response: ClassVar[bool] = False

    class Params(StrategyParams):
        """What `First` says of the judge."""

        criterion: str

    params: Params

    def __init__(self, params: Params, default_model: str, at_least: int, label: str) -> None:
        super().__init__(params, default_model)
        self.label, self._at_least = label, at_least

    def passes(self, answer: Answer) -> bool:
        """Whether the score of an answer that was accepted is high enough."""
        return int(self._score(answer)) >= self._at_least

    def lets_through(self, conversation: Conversation, answers: tuple[Answer, ...]) -> bool:
        """Whether the answers are a good verdict, and it says that the strategy is to be asked."""
        try:
            accept(self, conversation, answers)
        except Exception:  # no verdict: it is asked again by who can park the sample
            return False
        return self.passes(answers[-1])

    def _score(self, answer: Answer) -> str:
        score = self.object_of(answer, _STEP.keys)["score"].strip()
        if score not in ("1", "2", "3", "4", "5"):
            raise BadAnswer(BadReason.MALFORMED, f"the score is {score[:20]!r} and not 1 to 5")
        return score

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if answers:
            return None
        return self.request(_STEP, sections_of(conversation), sample_index=sample_index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """No turns; raises BadAnswer when the score is none."""
        self._score(answers[-1])
        return ()

    def _system_values(self) -> dict[str, str]:
        return {"criterion": self.params.criterion}

    def _validators(self) -> tuple[Validator, ...]:
        return ()


def gate_of(strategy: Strategy, default_model: str) -> Gate | None:
    """The judge before a strategy, None when it has none. Raises UsageError for a template that is no good."""
    first = strategy.params.first
    if first is None or first.criterion is None:
        return None
    if len(strategy.label) > _LONGEST_LABEL:
        raise UsageError(f"the label of a strategy with `first` has at most {_LONGEST_LABEL} characters")
    params = Gate.Params(
        model=first.model,
        temperature=first.temperature,
        max_output_tokens=first.max_output_tokens,
        max_input_characters=strategy.params.max_input_characters,
        template=first.template,
        share=first.share,
        fallback_models=first.fallback_models,
        structured_output=strategy.params.structured_output
        if first.structured_output is None
        else first.structured_output,
        **options_of(first).said(),
        provider_batch=first.provider_batch,
        media=strategy.params.media,
        criterion=first.criterion,
    )
    return Gate(params, default_model, first.at_least, strategy.label + JUDGE)
