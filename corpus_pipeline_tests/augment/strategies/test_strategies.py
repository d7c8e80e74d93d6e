"""A good answer and several broken ones for each strategy."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Turn
from corpus_pipeline.stages.augment.strategies import STRATEGIES, accept
from corpus_pipeline.stages.augment.validators.words import BadReason

REPHRASED = (
    "In the morning a baker gets rid of 48 rolls; in the afternoon, of half that number. What is the total of rolls?"
)
EVOLVED = (
    "A baker sells 48 rolls in the morning and half as many in the afternoon. Each roll costs 2 dollars, and a tenth of "
    "the takings goes to charity. How many rolls are sold that day, and how much money is left?"
)
SOLVED = "After lunch half of the morning's 48 rolls find a buyer: 24. Both parts give 72.\n#### 72"
CHINESE = {
    "system": "你是一位耐心的老师。",
    "prompt": "面包师上午卖出48个面包卷，下午卖出的数量是上午的一半。这一天一共卖出多少个面包卷？",
    "response": "下午卖出 48 / 2 = 24 个面包卷。一共是 48 + 24 = 72 个面包卷。\n#### 72",
}
REVIEW = "- Say why the number is halved.\n- The result 72 is right and stays."

GOOD: dict[str, list[Any]] = {
    "paraphrase": [{"prompt": REPHRASED}],
    "evol_instruct": [
        {"prompt": EVOLVED},
        "24 rolls follow 48, so 72 rolls are sold for 144 dollars; 129.60 are left.",
    ],
    "response_regeneration": [SOLVED],
    "reasoning_distillation": [
        {"reasoning": "Half of 48 is 24. 48 + 24 = 72. Check: 72 - 24 = 48.", "response": SOLVED}
    ],
    "self_refine": [REVIEW, SOLVED],
    "translation": [CHINESE],
}


def drive(kit: Any, name: str, answers: list[Any], turns: tuple[Turn, ...] = (), **params: Any) -> tuple[Turn, ...]:
    """Ask and answer as the engine does, then accept."""
    strategy, row = kit.strategy(name, **params), kit.row(*turns)
    assert strategy.applies(row) is None
    given: tuple[Any, ...] = ()
    for text in answers:
        assert strategy.next_request(row, given) is not None
        given += (kit.answer(text) if isinstance(text, (str, dict)) else text,)
    assert strategy.next_request(row, given) is None, "there is another question"
    return accept(strategy, row, given).turns


def fault(kit: Any, name: str, answers: list[Any], turns: tuple[Turn, ...] = (), **params: Any) -> str:
    with pytest.raises(BadAnswer) as caught:
        drive(kit, name, answers, turns, **params)
    assert caught.value.reason in list(BadReason)
    assert caught.value.detail
    return caught.value.reason


def test_there_is_a_good_answer_for_each() -> None:
    assert list(GOOD) == [strategy.name for strategy in STRATEGIES]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_becomes_a_turn_in_the_place_of_its_source(kit: Any, name: str) -> None:
    (turn,) = drive(kit, name, GOOD[name])
    assert turn != kit.word_problem
    assert (turn.weight, turn.extra) == (None, None)


def test_what_each_strategy_changes_and_what_it_keeps(kit: Any) -> None:
    source = kit.word_problem
    assert drive(kit, "paraphrase", GOOD["paraphrase"]) == (source._replace(prompt=REPHRASED),)
    assert drive(kit, "evol_instruct", GOOD["evol_instruct"]) == (
        source._replace(prompt=EVOLVED, response=GOOD["evol_instruct"][1]),
    )
    assert drive(kit, "response_regeneration", GOOD["response_regeneration"]) == (source._replace(response=SOLVED),)
    assert drive(kit, "self_refine", GOOD["self_refine"]) == (source._replace(response=SOLVED),)
    (explained,) = drive(kit, "reasoning_distillation", GOOD["reasoning_distillation"])
    assert explained.reasoning is not None and explained.reasoning.startswith("Half of 48")
    assert drive(kit, "translation", GOOD["translation"]) == (Turn(**CHINESE),)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        ("", "stop", BadReason.EMPTY),
        ("\u200b \n", "stop", BadReason.EMPTY),
        ("Half of 48 is", "length", BadReason.CUT),
        ("Half", "content_filter", BadReason.CONTENT_FILTER),
        ("I'm sorry, but I can't help with that.", "stop", BadReason.REFUSED),
        ("<think>Let me see", "stop", BadReason.CUT),
    ],
)
def test_every_step_refuses_an_answer_that_is_none(kit: Any, name: str, text: str, finish: str, reason: str) -> None:
    for step in range(len(GOOD[name])):
        broken = [*GOOD[name][:step], kit.answer(text, finish), *GOOD[name][step + 1 :]]
        assert fault(kit, name, broken) == reason


@pytest.mark.parametrize("name", ["paraphrase", "evol_instruct", "reasoning_distillation", "translation"])
@pytest.mark.parametrize(
    "text", ["no JSON at all", "[1, 2]", '{"other": "key"}', '{"prompt": 7, "response": []}', '{"prompt": "a']
)
def test_an_answer_without_the_wanted_object_is_malformed(kit: Any, name: str, text: str) -> None:
    assert fault(kit, name, [text, *GOOD[name][1:]]) == BadReason.MALFORMED


@pytest.mark.parametrize("name", ["paraphrase", "evol_instruct", "reasoning_distillation", "translation"])
def test_json_in_a_fence_or_in_prose_is_read(kit: Any, name: str) -> None:
    plain = drive(kit, name, GOOD[name])
    said = kit.answer(GOOD[name][0]).text
    for wrapped in (f"```json\n{said}\n```", f"Here you are: {said} Good luck!", f"<think>{{a}}</think>\n{said}"):
        assert drive(kit, name, [wrapped, *GOOD[name][1:]]) == plain


@pytest.mark.parametrize(
    ("name", "answers", "reason"),
    [
        ("paraphrase", [{"prompt": "  "}], BadReason.EMPTY),
        ("paraphrase", [{"prompt": "How many?"}], BadReason.TOO_SHORT),
        ("paraphrase", [{"prompt": REPHRASED.replace("48", "50")}], BadReason.NUMBERS_CHANGED),
        ("paraphrase", [{"prompt": f"Here is the rewritten prompt: {REPHRASED}"}], BadReason.LEAKED_INSTRUCTION),
        ("paraphrase", [{"prompt": CHINESE["prompt"]}], BadReason.OFF_LANGUAGE),
        ("paraphrase", [{"prompt": REPHRASED * 4}], BadReason.TOO_LONG),
        ("paraphrase", [{"prompt": REPHRASED + " no" * 40}], BadReason.REPETITIVE),
        ("evol_instruct", [{"prompt": EVOLVED}, CHINESE["response"]], BadReason.OFF_LANGUAGE),
        ("evol_instruct", [{"prompt": "Rolls?"}, "Rolls."], BadReason.TOO_SHORT),
        ("evol_instruct", [{"prompt": EVOLVED}, "Here is the revised answer:\n72"], BadReason.LEAKED_INSTRUCTION),
        ("response_regeneration", [SOLVED.replace("72", "71")], BadReason.ANSWER_CHANGED),
        ("response_regeneration", [CHINESE["response"]], BadReason.OFF_LANGUAGE),
        ("response_regeneration", [SOLVED + "\nand so on" * 200], BadReason.TOO_LONG),
        ("response_regeneration", ["As an AI language model, I get\n#### 72"], BadReason.LEAKED_INSTRUCTION),
        (
            "reasoning_distillation",
            [{"reasoning": "Half of 48 is 34.", "response": "So there are 82 rolls.\n#### 82"}],
            BadReason.ANSWER_CHANGED,
        ),
        ("reasoning_distillation", [{"reasoning": "\n", "response": SOLVED}], BadReason.EMPTY),
        ("reasoning_distillation", [{"reasoning": "so " * 30, "response": SOLVED}], BadReason.REPETITIVE),
        ("self_refine", [REVIEW, SOLVED.replace("72", "96")], BadReason.ANSWER_CHANGED),
        ("self_refine", [REVIEW, "#### 72"], BadReason.TOO_SHORT),
        ("self_refine", [REVIEW, f"Here is the improved answer:\n{SOLVED}"], BadReason.LEAKED_INSTRUCTION),
        ("translation", [{**CHINESE, "prompt": REPHRASED}], BadReason.OFF_LANGUAGE),
        ("translation", [{**CHINESE, "prompt": CHINESE["prompt"].replace("48", "84")}], BadReason.NUMBERS_CHANGED),
        ("translation", [{**CHINESE, "response": CHINESE["response"].replace("72", "27")}], BadReason.NUMBERS_CHANGED),
        ("translation", [{**CHINESE, "response": "七十二"}], BadReason.TOO_SHORT),
        ("translation", [{**CHINESE, "response": ""}], BadReason.EMPTY),
        ("translation", [{"prompt": CHINESE["prompt"], "response": CHINESE["response"]}], BadReason.MALFORMED),
    ],
)
def test_a_broken_answer_is_named(kit: Any, name: str, answers: list[Any], reason: str) -> None:
    assert fault(kit, name, answers) == reason


def test_the_source_itself_is_no_answer(kit: Any) -> None:
    source = kit.word_problem
    assert fault(kit, "paraphrase", [{"prompt": source.prompt.upper()}]) == BadReason.UNCHANGED
    assert fault(kit, "evol_instruct", [{"prompt": source.prompt}, "72"]) == BadReason.UNCHANGED
    assert fault(kit, "response_regeneration", [source.response]) == BadReason.UNCHANGED
    assert fault(kit, "self_refine", [REVIEW, source.response]) == BadReason.UNCHANGED
    echoed = {"system": source.system, "prompt": source.prompt, "response": source.response}
    assert fault(kit, "translation", [echoed]) == BadReason.OFF_LANGUAGE
    assert fault(kit, "translation", [echoed], without=("language",)) == BadReason.UNCHANGED


def test_a_recipe_may_leave_a_validator_out(kit: Any) -> None:
    changed = [{"prompt": REPHRASED.replace("48", "50")}]
    assert fault(kit, "paraphrase", changed) == BadReason.NUMBERS_CHANGED
    assert drive(kit, "paraphrase", changed, without=("numbers_kept",))


def test_code_and_formulas_are_kept_where_the_text_is_kept(kit: Any) -> None:
    turn = Turn(
        prompt="What does `f(x)` return for $x^2 = 4$, given\n```\nf(x) = x + 1\n```\n?", response="It returns 3 or -1."
    )
    good = "Given\n```\nf(x) = x + 1\n```\nwhich values does `f(x)` take if $x^2 = 4$?"
    assert drive(kit, "paraphrase", [{"prompt": good}], (turn,))
    assert fault(kit, "paraphrase", [{"prompt": good.replace("x + 1", "x + 2")}], (turn,)) == BadReason.CODE_CHANGED
    assert fault(kit, "paraphrase", [{"prompt": good.replace("x^2", "x^3")}], (turn,)) == BadReason.LATEX_CHANGED


def test_self_refine_goes_on_from_its_own_answer(kit: Any) -> None:
    strategy, row = kit.strategy("self_refine", rounds=2), kit.row()
    answers = tuple(kit.answer(text) for text in (REVIEW, "first refinement\n#### 72", "second review"))
    last = strategy.next_request(row, answers).messages[1]["content"]
    assert "first refinement" in last and "second review" in last
    assert kit.word_problem.response not in last
    assert drive(kit, "self_refine", [REVIEW, SOLVED + "!", REVIEW, SOLVED], rounds=2)[0].response == SOLVED


def test_a_translation_takes_every_turn_up_to_the_exchange(kit: Any) -> None:
    turns = (
        Turn(system="Be kind.", prompt="Hello there, my old friend!", response="Hello! It is good to see you again."),
        Turn(prompt="And this?", response=None),
        Turn(
            prompt="Good evening to all of you.",
            response="Good evening, dear guests.",
            rejected="Go away at once, please.",
        ),
        Turn(prompt="One more that nobody answered"),
    )
    answers = [
        {"system": "请友善。", "prompt": "你好，我的老朋友！", "response": "你好！很高兴再次见到你。"},
        {"prompt": "那这个呢？"},
        {"prompt": "大家晚上好。", "response": "晚上好，亲爱的客人们。", "rejected": "请立刻离开。"},
    ]
    assert drive(kit, "translation", answers, turns) == tuple(Turn(**answer) for answer in answers)


def test_a_translation_sees_how_the_turn_before_was_translated(kit: Any) -> None:
    row = kit.row(Turn(prompt="Hello, how are you today?", response="Fine, thank you."), kit.word_problem)
    request = kit.strategy("translation").next_request(row, (kit.answer({"prompt": "你好吗？", "response": "很好。"}),))
    assert "previous_translation" in request.messages[1]["content"]
    assert "你好吗？" in request.messages[1]["content"]
    assert "Hello, how are you" not in request.messages[1]["content"]


def test_evol_instruct_goes_through_its_operations_sample_by_sample(kit: Any) -> None:
    strategy, row = kit.strategy("evol_instruct", samples=6), kit.row()
    firsts = [strategy.next_request(row, (), sample).messages[1]["content"].splitlines()[0] for sample in range(6)]
    assert len(set(firsts)) == 6
    assert all(line.startswith("Operation: ") for line in firsts)
    again = kit.strategy("evol_instruct").next_request(row, (), 2).messages[1]["content"]
    assert again.startswith(firsts[2])


def test_reasoning_is_kept_replaced_or_dropped_with_what_it_belongs_to(kit: Any) -> None:
    thoughtful = kit.word_problem._replace(reasoning="Half of 48 is 24.")
    assert drive(kit, "paraphrase", GOOD["paraphrase"], (thoughtful,))[0].reasoning == "Half of 48 is 24."
    assert drive(kit, "response_regeneration", [SOLVED], (thoughtful,))[0].reasoning is None
    native = kit.answer(SOLVED, reasoning="By halving.")
    assert drive(kit, "response_regeneration", [native], (thoughtful,))[0].reasoning == "By halving."
    tagged = f"<think>By halving.</think>\n\n{SOLVED}"
    assert drive(kit, "response_regeneration", [tagged], (thoughtful,))[0] == thoughtful._replace(
        response=SOLVED, reasoning="By halving."
    )
    assert drive(kit, "response_regeneration", [tagged])[0].reasoning is None


def test_a_rejected_response_goes_with_the_prompt_that_it_answered(kit: Any) -> None:
    pair = kit.word_problem._replace(rejected="It is 96, for twice as many are sold.")
    assert drive(kit, "paraphrase", GOOD["paraphrase"], (pair,))[0].rejected == pair.rejected
    assert drive(kit, "evol_instruct", GOOD["evol_instruct"], (pair,))[0].rejected is None


def test_what_the_first_question_brought_is_judged_before_the_second_is_paid_for(kit: Any) -> None:
    def second(name: str, first: Any) -> str | None:
        strategy = kit.strategy(name)
        try:
            strategy.next_request(kit.row(), (kit.answer(first),))
        except BadAnswer as bad:
            return bad.reason
        return None

    source = kit.word_problem
    assert second("evol_instruct", {"prompt": EVOLVED}) is None
    assert second("evol_instruct", {"prompt": source.prompt}) == BadReason.UNCHANGED
    assert second("evol_instruct", {"prompt": CHINESE["prompt"]}) == BadReason.OFF_LANGUAGE
    assert second("evol_instruct", {"prompt": "so " * 100}) == BadReason.REPETITIVE
    assert second("self_refine", REVIEW) is None
    assert second("self_refine", source.response) == BadReason.UNCHANGED
    assert second("self_refine", source.prompt) == BadReason.UNCHANGED
    assert second("self_refine", "again " * 200) == BadReason.REPETITIVE
    assert second("self_refine", '{"feedback": "Sho') == BadReason.MALFORMED


def test_a_response_may_be_in_the_language_of_the_prompt_that_it_answers(kit: Any) -> None:
    row = Turn(
        prompt="请写一段代码，显示提示用户输入姓名的消息。", response="Here is a simple piece of code for it:\nprint(1)"
    )
    chinese = "下面这段代码会先显示提示，然后等待用户输入姓名，最后把它打印出来。"
    assert drive(kit, "response_regeneration", [chinese], (row,))
    english = "The code below shows a message, waits for a name and prints it in the end."
    assert drive(kit, "response_regeneration", [english], (row,))
    russian = "Этот код показывает сообщение, ждёт имя и печатает его."
    assert fault(kit, "response_regeneration", [russian], (row,)) == BadReason.OFF_LANGUAGE
