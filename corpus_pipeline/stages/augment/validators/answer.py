"""Judges of an answer as it arrived: they run before anything is parsed, for every step."""

from __future__ import annotations

from typing import ClassVar, Final, assert_never

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.thinking import split_thinking, template_token
from corpus_pipeline.stages.augment.validators import finish_reasons
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.finish_reasons import Finish
from corpus_pipeline.stages.augment.validators.refusing import declines, looks_refused
from corpus_pipeline.stages.augment.validators.words import BadReason

_INVISIBLE: Final = lazily("[\\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")


def visible(text: str) -> str:
    """The text without white space and invisible characters."""
    return _INVISIBLE.sub("", text)


class Finished(Validator):
    """The model came to its own end, by the word of its provider for it (see `finish_reasons`)."""

    name: ClassVar[str] = "finished"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        said = answer.finish_reason
        match finish_reasons.meaning(said):
            case Finish.STOP | Finish.UNKNOWN:
                return None  # an unknown word is shown once by who asks; the other validators judge the text
            case Finish.REFUSED:
                return BadAnswer(BadReason.CONTENT_FILTER, f"the provider's filter held the answer back ({said})")
            case Finish.TOOL:
                return BadAnswer(BadReason.MALFORMED, f"a tool call, though no tool was offered ({said})")
            case Finish.CUT:
                return BadAnswer(BadReason.CUT, f"cut at {answer.usage.output_tokens} output tokens ({said})")
            case Finish.BROKEN:
                return BadAnswer(BadReason.CUT, f"the provider broke the answer off ({said})")
            case other:
                assert_never(other)


class NoTemplateToken(Validator):
    """No control token of a chat template is left in the answer, unless the source is about such tokens."""

    name: ClassVar[str] = "no_template_token"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        try:
            token = template_token(split_thinking(answer.text)[1])
        except BadAnswer as fault:
            return fault
        if token is None or any(token in text for turn in conversation.turns for _, text in turn.texts()):
            return None
        return BadAnswer(
            BadReason.TEMPLATE_TOKEN, f"{token} is left in the answer: the server does not read its template"
        )


class NotRefused(Validator):
    """No refusal field, and no text that declines, unless the source does or asks for one."""

    name: ClassVar[str] = "not_refused"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        if answer.refusal:
            return BadAnswer(BadReason.REFUSED, answer.refusal[:200])
        said = _said(answer)
        last = next((turn for turn in reversed(conversation.turns) if turn.prompt and turn.response), Turn())
        if not declines(said, asked=last.prompt or "", known=last.response or ""):
            return None
        if any(looks_refused(text) for turn in conversation.turns for text in (turn.prompt, turn.response) if text):
            return None
        return BadAnswer(BadReason.REFUSED, said.strip()[:200], evidence=(said.strip()[:200],))


def _said(answer: Answer) -> str:
    """The text of an answer behind its thinking."""
    try:
        return split_thinking(answer.text)[1]
    except BadAnswer:
        return answer.text


class NotEmpty(Validator):
    """Something visible was said."""

    name: ClassVar[str] = "not_empty"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        return None if visible(answer.text) else BadAnswer(BadReason.EMPTY, "the answer has no visible character")


# a refusal often comes with an empty text, and an empty text is often a cut one: the first fault names the cause
ALWAYS: Final = frozenset({Finished.name, NotEmpty.name})  # what no recipe can switch off
ANSWER_VALIDATORS: Final[tuple[Validator, ...]] = (Finished(), NotRefused(), NotEmpty(), NoTemplateToken())
