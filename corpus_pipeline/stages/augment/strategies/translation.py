"""`translation`: the conversation in another language."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, field_validator

from corpus_pipeline.model import TEXT_FIELDS, Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy
from corpus_pipeline.stages.augment.strategies.exchange import last_exchange
from corpus_pipeline.stages.augment.strategies.sections import messages_as_lines
from corpus_pipeline.stages.augment.strategies.tool_rows import CarryingParams, is_of_person
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.code import CodeKept, LatexKept
from corpus_pipeline.stages.augment.validators.complete import Complete
from corpus_pipeline.stages.augment.validators.final_answer import FinalAnswerKept
from corpus_pipeline.stages.augment.validators.form import (
    FieldsFilled,
    LengthRatio,
    NoControls,
    NoLeakedInstruction,
    NotRepetitive,
    NotUnchanged,
)
from corpus_pipeline.stages.augment.validators.language import LANGUAGES, Language, tongue_of
from corpus_pipeline.stages.augment.validators.noise import NotNoise
from corpus_pipeline.stages.augment.validators.numbers import NumbersKept
from corpus_pipeline.stages.skip_reasons import SkipReason

_TRANSLATE = Step("translate", (), ("previous_translation", *(f"source_{field}" for field in TEXT_FIELDS)))
_SPOKEN = ("system", "prompt", "response")


class Translation(Strategy):
    """Translates every turn up to the last answered exchange, one question for each turn.

    A half translated conversation would be of no use, and a whole one in one question would be cut or lose its places.
    """

    name: ClassVar[str] = "translation"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the conversation in another language"
    source: ClassVar[str] = (
        "Chen et al. (2023), Breaking Language Barriers in Multilingual Mathematical Reasoning: Insights and "
        "Observations, arXiv:2310.20246"
    )
    steps: ClassVar[tuple[Step, ...]] = (_TRANSLATE,)
    writes_response: ClassVar[bool] = False

    class Params(CarryingParams):
        """Parameters of `translation`."""

        temperature: float | None = Field(0.3, ge=0, le=2, description="null: the provider's default")
        max_output_tokens: int = Field(4096, ge=1, description="an answer that needs more is cut and fails")
        target_language: str = Field("zh", description="ISO 639-1 code")
        max_turns: int = Field(20, ge=1, description="longer conversations are skipped: each turn is a call")

        @field_validator("target_language")
        @classmethod
        def _known(cls, value: str) -> str:
            if value not in LANGUAGES:
                raise ValueError(f"unknown language '{value}'. Known: {', '.join(LANGUAGES)}")
            return value

    params: Params

    def _header_lines(self) -> dict[str, str]:
        code = self.params.target_language
        return {"Target language": f"{code} ({LANGUAGES[code][0]})"}

    def _system_values(self) -> dict[str, str]:
        return {"target_language": LANGUAGES[self.params.target_language][0]}

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        if index >= self.params.max_turns:
            return SkipReason.TOO_MANY_TURNS
        turn = conversation.turns[index]
        if tongue_of(f"{turn.prompt}\n{turn.response}").language == self.params.target_language:
            return SkipReason.SAME_LANGUAGE
        return None

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        spoken = _turns_with_text(conversation)
        if len(answers) == len(spoken):
            return None
        keys = _keys(conversation.turns[spoken[len(answers)]])
        texts: dict[str, str | None] = {
            f"source_{key}": getattr(conversation.turns[spoken[len(answers)]], key) for key in keys
        }
        if answers:
            texts["previous_translation"] = messages_as_lines(
                [self._translated(conversation.turns[spoken[len(answers) - 1]], answers[-1])]
            )
        return self.request(_TRANSLATE, texts, sample_index=sample_index, keys=keys)

    def _translated(self, turn: Turn, answer: Answer) -> Turn:
        texts: dict[str, Any] = {key: text.strip() for key, text in self.object_of(answer, _keys(turn)).items()}
        return turn._replace(**texts)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        turns = list(conversation.turns[: last_exchange(conversation) + 1])
        for index, answer in zip(_turns_with_text(conversation), answers, strict=True):
            turns[index] = self._translated(turns[index], answer)
        return tuple(turns)

    def _validators(self) -> tuple[Validator, ...]:
        target = self.params.target_language
        return (
            FieldsFilled(TEXT_FIELDS, whole=True),
            NoControls(TEXT_FIELDS, whole=True),
            NoLeakedInstruction(TEXT_FIELDS, whole=True, translated=True),
            LengthRatio(TEXT_FIELDS, whole=True, low=0.25, high=4.0, floor=60),
            NotRepetitive(TEXT_FIELDS, whole=True),
            NotNoise(TEXT_FIELDS, whole=True),
            Language(TEXT_FIELDS, whole=True, target=target),
            NotUnchanged(_SPOKEN, names_stay=True),
            CodeKept(TEXT_FIELDS, whole=True, translated=True),
            LatexKept(TEXT_FIELDS, whole=True),
            NumbersKept(_SPOKEN, whole=True),
            FinalAnswerKept(("response",), whole=True, translated=True),
            Complete(TEXT_FIELDS, whole=True),
        )


def _keys(turn: Turn) -> tuple[str, ...]:
    """The fields of a turn that have something to translate; the result of a tool stays as it is."""
    return tuple(field for field, text in turn.texts() if text.strip() and (field != "prompt" or is_of_person(turn)))


def _turns_with_text(conversation: Conversation) -> list[int]:
    return [i for i, turn in enumerate(conversation.turns[: last_exchange(conversation) + 1]) if _keys(turn)]
