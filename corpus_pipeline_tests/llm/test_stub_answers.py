"""The stand-in does the work of the six strategies well enough for their own validators."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from corpus_pipeline.errors import BadAnswer, SampleSkipped
from corpus_pipeline.llm import chat_completions
from corpus_pipeline.llm_stub import StubOptions, prose
from corpus_pipeline.llm_stub.engine import Engine
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.llm_stub.invoice import Invoice
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.strategies import SEQUENCES, STRATEGIES, TASKS, accept, build

MATHS = Turn(
    prompt="A baker sells 24 loaves for $3 each and then 12 more for $2 each. How much money does the baker get?",
    response="First, 24 * 3 = 72 dollars.\nThen 12 * 2 = 24 dollars.\nTogether that is 72 + 24 = 96 dollars.\n#### 96",
)
CODE = Turn(
    prompt="Write a Python function `area(r)` that returns the area of a circle, $\\pi r^2$, and show how to call it.",
    response="This function uses the constant from the library:\n\n```python\nimport math\n\ndef area(r):\n"
    "    return math.pi * r**2\n```\n\nYou can call it like `area(2)`, which gives 12.566. Many find this easy.\n\n"
    "```text\n12.566\n```",
)
CHINESE = Turn(
    prompt="请解释为什么天空是蓝色的,并且举一个生活中可以看到的例子,说明光的散射如何发生。",
    response="天空呈现蓝色是因为空气中的分子对短波长的光散射得更强。例如在晴朗的中午,我们可以看到头顶的天空特别蓝,而在傍晚太阳附近则偏红。",
)
RUSSIAN = Turn(
    prompt="Объясните, почему зимой дни короче, чем летом. Приведите один пример из повседневной жизни.",
    response="Земная ось наклонена, поэтому зимой Солнце поднимается невысоко. Например, в декабре темнеет уже днём.",
)
DIALOGUE = (
    Turn(system="You are a patient teacher.", prompt="What is a prime number?", response="A number with two divisors."),
    Turn(
        prompt="Give me three examples and explain why the number one is not a prime number, please.",
        response="Three examples are 2, 3 and 5. The number 1 has only one divisor, so it is not a prime number.",
    ),
)
ROWS = {
    "maths": (MATHS,),
    "code": (CODE,),
    "chinese": (CHINESE,),
    "russian": (RUSSIAN,),
    "dialogue": DIALOGUE,
}


def engine(**faults: float) -> Engine:
    return Engine(StubOptions(faults={Fault(name): share for name, share in faults.items()}), Invoice(None))


def augmented(name: str, turns: tuple[Turn, ...], stub: Engine, **params: Any) -> tuple[Turn, ...] | None:
    """The new turns; None when the strategy does not apply."""
    (strategy,) = build([NamedStep(name=name, params=params)], "corpus-stub")
    conversation = Conversation(1, turns, "{}")
    if strategy.applies(conversation):
        return None
    answers: tuple[Answer, ...] = ()
    while request := strategy.next_request(conversation, answers, 0):
        outcome = stub.answer(chat_completions.request_body(request), attempt=1, attempt_id=None)
        answers += (chat_completions.parse_completion(outcome.body, request),)
    return accept(strategy, conversation, answers).turns


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", [strategy.name for strategy in STRATEGIES])
def test_its_answers_pass_honest_validators(name: str, row: str) -> None:
    params = {"target_language": "en" if row in ("chinese", "russian") else "zh"} if name == "translation" else {}
    turns = augmented(name, ROWS[row], engine(), **params)
    assert turns is not None and prose.MARK in f"{turns}"


@pytest.mark.parametrize("name", [strategy.name for strategy in STRATEGIES])
@pytest.mark.parametrize(
    "fault", ["cut", "content_filter", "refusal", "sorry", "empty", "whitespace", "wrong_language", "loop"]
)
def test_its_spoilt_answers_do_not_pass(name: str, fault: str) -> None:
    params = {"target_language": "zh"} if name == "translation" else {}
    with pytest.raises(BadAnswer):
        augmented(name, (CODE,), engine(**{fault: 1.0}), **params)


@pytest.mark.parametrize("name", ["paraphrase", "evol_instruct", "reasoning_distillation", "translation"])
def test_prose_where_json_was_asked_does_not_pass(name: str) -> None:
    params = {"target_language": "zh"} if name == "translation" else {}
    with pytest.raises(BadAnswer):
        augmented(name, (CODE,), engine(malformed=1.0), **params)


@pytest.mark.parametrize("row", ["maths", "chinese", "russian", "dialogue"])
@pytest.mark.parametrize("name", [kind.name for kind in (*TASKS, *SEQUENCES)])
def test_its_rows_of_rows_have_sense_enough_for_a_reader(name: str, row: str) -> None:
    try:
        turns = augmented(name, ROWS[row], engine())
    except SampleSkipped as skipped:  # no difference, no final answer: the stand-in says so where it is so
        assert name in ("best_and_worst", "verifiable_answer"), skipped
        return
    assert turns is not None
    source, new = ROWS[row][-1], turns[-1]
    texts = [text for text in (new.prompt, new.response, new.rejected) if text]
    assert len(set(texts)) == len(texts), "question, answer and rejected answer are three texts"
    if name == "continuation":
        assert len(turns) == len(ROWS[row]) + 1 and new.prompt != source.prompt
    if name == "verifiable_answer":
        assert (new.prompt, new.response) == (source.prompt, "96")


def test_it_calls_each_of_the_tools_with_arguments_that_fit() -> None:
    weather = {
        "type": "object",
        "properties": {"town": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["town"],
    }
    tools = [
        {
            "type": "function",
            "function": {"name": "forecast", "description": "Look up the weather", "parameters": weather},
        },
        {
            "type": "function",
            "function": {"name": "clock", "description": "Tell the time", "parameters": {"type": "object"}},
        },
    ]
    called = set()
    for number in range(8):
        (strategy,) = build([NamedStep(name="tool_calls")], "corpus-stub")
        turn = Turn(prompt=f"What is it like in town {number}?", response="Sunny.")
        conversation = Conversation(1, (turn,), "{}", tools=orjson.dumps(tools).decode())
        request = strategy.next_request(conversation, (), 0)
        assert request is not None
        outcome = engine().answer(chat_completions.request_body(request), attempt=1, attempt_id=None)
        turns = accept(strategy, conversation, (chat_completions.parse_completion(outcome.body, request),)).turns
        called.add((turns[0].extra or {})["tool_calls"][0]["function"]["name"])
        assert turns[0].prompt and turns[-1].response and turns[0].prompt != turns[-1].response
    assert called == {"forecast", "clock"}


@pytest.mark.parametrize("name", ["paraphrase", "response_regeneration", "translation"])
def test_an_echo_does_not_pass(name: str) -> None:
    params = {"target_language": "zh"} if name == "translation" else {}
    with pytest.raises(BadAnswer):
        augmented(name, (MATHS,), engine(echo=1.0), **params)


@pytest.mark.parametrize("language", ["zh", "en", "ja", "ko", "fr", "de", "es", "pt", "it", "ru", "ar"])
def test_it_translates_into_many_languages(language: str) -> None:
    source = CHINESE if language == "en" else MATHS
    assert augmented("translation", (source,), engine(), target_language=language) is not None


def test_another_seed_gives_another_sample() -> None:
    text = "Show the people many big things and explain how to find the right kind of help, because it is hard."
    assert len({prose.rewritten(text, f"{number}") for number in range(20)}) > 5


def test_protected_pieces_survive() -> None:
    text = "Use `x = 1`, $a_1$, \\(b\\), https://example.org/a?b=1 and 3.5% of 1,000; the answer is \\boxed{7}"
    for made in (prose.rewritten(text, "s"), prose.translated(text, "zh")):
        for piece in ("`x = 1`", "$a_1$", "\\(b\\)", "https://example.org/a?b=1", "3.5%", "1,000", "\\boxed{7}"):
            assert piece in made
