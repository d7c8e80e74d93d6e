"""Judges of an answer as it arrived: they run before anything is parsed, for every step, and cannot be switched off."""

from __future__ import annotations

import re
from typing import ClassVar, Final, assert_never

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.thinking import split_thinking, template_token
from corpus_pipeline.stages.augment.validators import finish_reasons
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.finish_reasons import Finish
from corpus_pipeline.stages.augment.validators.words import BadReason

_LEAD: Final = r"\A[\s\"'“”«»*_>#-]*"
# how models decline, at the very beginning of what they say
_REFUSALS: Final = re.compile(
    _LEAD
    + r"""(?:
    (?:i(?:['’]m|\ am)\ (?:very\ |really\ |truly\ |so\ )?sorry|sorry|apologies|my\ apologies|unfortunately)[,.!;:]?\ +
        (?:but\ +)?(?:as\ an\ ai\b|i\ (?:can['’]?t|cannot|can\ not|am\ unable|won['’]t|am\ not\ able)
            |i['’]m\ (?:unable|not\ able))
    | i\ (?:can['’]?t|cannot|can\ not|won['’]t|will\ not|am\ unable\ to|am\ not\ able\ to)\ +
        (?:assist|help(?!\ but)|comply|fulfil|provide|answer|create|generate|write|do\ that|engage|continue|discuss)
    | i['’]m\ (?:unable|not\ able)\ to\ +(?:assist|help|comply|fulfil|provide|answer|create|generate|discuss)
    | i\ must\ (?:respectfully\ )?(?:decline|refuse)
    | as\ an?\ (?:ai|artificial\ intelligence)\b.{0,60}?\bi\ (?:can['’]?t|cannot|do\ not|don['’]t|am\ (?:not|unable))
    | (?:很|非常|十分)?(?:抱歉|对不起|對不起|不好意思)[，,。!！\s]*(?:但是?)?(?:作为|作為|身为)?.{0,16}?
        我?(?:无法|無法|不能|不可以|没有办法|沒辦法|没办法|不便)
    | 我(?:无法|無法|不能|不便)(?:提供|回答|协助|協助|帮助|幫助|满足|滿足|完成|生成|继续|讨论|支持)
    | (?:作为|作為)(?:一个|一個|一名)?(?:ai|人工智能|人工智慧|语言模型|語言模型|大模型).{0,16}?
        (?:无法|無法|不能|没有能力)
    | (?:je\ suis\ )?(?:vraiment\ )?(?:désolée?|navrée?)[,.!]?\ +(?:mais\ +)?je\ ne\ (?:peux|puis|suis)
    | je\ ne\ (?:peux|puis)\ pas\ +(?:vous\ +)?(?:aider|fournir|répondre|générer|accéder)
    | (?:es\ tut\ mir\ (?:sehr\ )?leid|tut\ mir\ leid|entschuldigung)[,.!]?\ +(?:aber\ +)?
        (?:ich\ kann|das\ kann\ ich|dabei)
    | (?:lo\ siento(?:\ mucho)?|lo\ lamento|disculpa)[,.!]?\ +(?:pero\ +)?no\ (?:puedo|me\ es|soy)
    | (?:desculpe|sinto\ muito|lamento)[,.!]?\ +(?:mas\ +)?(?:eu\ +)?não\ (?:posso|consigo|sou)
    | (?:mi\ dispiace|spiacente)[,.!]?\ +(?:ma\ +)?non\ (?:posso|sono)
    | (?:извините|простите|к\ сожалению)[,.!]?\ +(?:но\ +)?я\ не\ (?:могу|в\ состоянии|имею)
    | (?:申し訳(?:ありません|ございません)|すみません|ごめんなさい)(?:が|けど)?[、,。\s]*.{0,30}?
        (?:できません|できかね|いたしかね|お答えできな)
    | 죄송(?:하지만|합니다|해요)[만,.\s]*.{0,30}?(?:없습니다|없어요|어렵습니다)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_INVISIBLE: Final = re.compile("[\\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")


def looks_refused(text: str) -> bool:
    """Whether a text begins in the way models decline."""
    return _REFUSALS.match(text[:400]) is not None


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
    """No refusal field, no refusal at the head of the text; unless the source itself begins with one."""

    name: ClassVar[str] = "not_refused"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        if answer.refusal:
            return BadAnswer(BadReason.REFUSED, answer.refusal[:200])
        if not looks_refused(_said(answer)):
            return None
        if any(looks_refused(text) for turn in conversation.turns for text in (turn.prompt, turn.response) if text):
            return None
        return BadAnswer(BadReason.REFUSED, _said(answer).strip()[:200])


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
ANSWER_VALIDATORS: Final[tuple[Validator, ...]] = (Finished(), NotRefused(), NotEmpty(), NoTemplateToken())
