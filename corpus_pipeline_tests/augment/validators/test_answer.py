from __future__ import annotations

import pytest

from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.stages.augment.validators.answer import ANSWER_VALIDATORS, looks_refused
from corpus_pipeline.stages.augment.validators.words import BadReason

SOURCE = Conversation(1, (Turn(prompt="How are you?", response="Fine, thanks."),), "{}")


def reason(text: str, finish: str = "stop", refusal: str | None = None, source: Conversation = SOURCE) -> str | None:
    answer = Answer(text, finish, "model", Usage(1, 1), refusal=refusal)
    return next((fault.reason for judge in ANSWER_VALIDATORS if (fault := judge(source, (), answer))), None)


def test_a_whole_answer_passes() -> None:
    assert reason("All is well.") is None


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        ("length", BadReason.CUT),
        ("content_filter", BadReason.CONTENT_FILTER),
        ("tool_calls", BadReason.MALFORMED),
        ("insufficient_system_resource", BadReason.CUT),
    ],
)
def test_only_stop_is_an_end(finish: str, word: BadReason) -> None:
    assert reason("All is well.", finish) == word


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u200b", "\ufeff", "\u00ad", "\u3000"])
def test_an_answer_without_a_visible_character_is_empty(text: str) -> None:
    assert reason(text) == BadReason.EMPTY


def test_the_first_fault_names_the_cause() -> None:
    assert reason("", "length") == BadReason.CUT
    assert reason("", "content_filter") == BadReason.CONTENT_FILTER
    assert reason("", refusal="I can't help with that.") == BadReason.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, I cannot help with this.",
        "Sorry, I am unable to do that.",
        "Unfortunately, I cannot provide this.",
        "I cannot create content of this kind.",
        "I must respectfully decline.",
        "As an AI language model, I don't have opinions.",
        "**I'm sorry, but as an AI I have no access to that.**",
        "抱歉，我无法提供该信息。",
        "很抱歉，作为AI助手，我不能回答这个问题。",
        "对不起，我不能这样做。",
        "我无法满足您的请求。",
        "作为一个人工智能，我没有能力做到这一点。",
        "對不起，我無法協助。",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Lo siento, pero no puedo ayudar con eso.",
        "Desculpe, mas não posso ajudar.",
        "Mi dispiace, ma non posso farlo.",
        "Извините, но я не могу помочь с этим.",
        "申し訳ありませんが、その質問にはお答えできません。",
        "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    ],
)
def test_a_refusal_is_known_in_many_languages(text: str) -> None:
    assert reason(text) == BadReason.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry to hear that. Here is what you can do.",
        "Sorry, the shop is closed on Mondays.",
        "I can't help but notice how bright it is.",
        "I cannot wait to see you!",
        "Unfortunately, the experiment failed.",
        "The letter begins: I'm sorry, but I can't come.",
        "抱歉让你久等了，这是方案。",
        "作为一个人工智能领域的专家，他写了三本书。",
        "我不能没有你。",
        "As an aid to memory, write it down.",
        "Je ne peux pas imaginer un plus bel endroit.",
    ],
)
def test_ordinary_sentences_are_no_refusals(text: str) -> None:
    assert not looks_refused(text)


def test_a_source_that_refuses_may_be_answered_in_kind() -> None:
    refusing = Conversation(1, (Turn(prompt="Do it", response="I'm sorry, but I can't assist with that."),), "{}")
    assert reason("抱歉，我无法提供帮助。", source=refusing) is None
