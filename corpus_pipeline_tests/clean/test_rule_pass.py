from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus_pipeline.model import Change, Cleaned, Conversation, ConversationId, Turn
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.clean.normalize import content_hash, frame_of
from corpus_pipeline.stages.clean.rule_pass import clean_batch, clean_turns
from corpus_pipeline.stages.clean.rules import RULES, build
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.score import Score
from corpus_pipeline.stages.clean.unchanged import unchanged
from corpus_pipeline.states import RowState

RULES_BY_DEFAULT = build(None)
PROSE = {
    "en": "The river rises in the hills; it passes two villages, and nobody knows why it is called so (see page 12).",
    "zh": "　　细胞理论是生物科学的一个理论，它认为“所有生命体”都由细胞构成——这是基础。《天体运行论》：１８３９年！",
    "ja": "これは日本語の文章です。ｶﾀｶﾅと「かぎ括弧」、そして１２３も、そのまま残ります。",
    "ko": "이 문장은 한국어로 쓰였습니다. ‘따옴표’와 １２３도 그대로 남습니다.",
    "fr": "L’été dernier, à Besançon : « où est la clé ? » — Là-bas, à 20\u00a0°C !",
    "ar": "هذا نصّ عربي، فيه علامات ترقيم؛ وأرقام ١٢٣.",
    "th": "ภาษาไทยเขียนติดกัน\u200bโดยไม่เว้นวรรค",
    "fa": "می‌خواهم به خانه بروم.",
    "emoji": "Great 👍🏽 👨‍👩‍👧 ❤️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "code": "```python\nif a < b and c > d:\n    print('<br>', x &amp; y)   \n\n\n\n\n```\n`<p>`",
    "latex": r"$\frac{a}{b} < \alpha$ and \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix}",
    "think": "<think>48/2 = <<48/2=24>>24</think>\n#### 72",
}
# characters and pieces that rules look for, so that random text hits them
PIECES = st.sampled_from(
    [" ", "\n", "\r", "\t", "  \n", "```", "`", "~~~\n", "<", ">", "&", ";", "&amp;", "&lt;", "&#60;", "br>", "<p>",
     "</p>", "<s>", "</s>", "<|", "|>", "im_end", "<|im_end|>", "[INST]", "@", "a@b.io", ".com", "138", "12345678",
     "415-555-2671", "4111 1111 1111 1111", "1.2.3.4", "203.119.25.134", "sk-", "Ab1" * 10, "\x00", "\x1b[0m",
     "\x0crac{", "\x85", "\x96", "\ufeff", "\u200b", "\u3000", "\u00a0", "\u2028", "Ã©", "â€™", "é", "e\u0301",
     "\u0301", "中文", "，", "锟斤拷", "锛鐨", "\ufffd", "\ufa19", "가", "\u1100\u1161", "ก", "\ud800", "\U000e0041",
     "🏴", "I'm sorry, ", "I can't help", "cookies", "We use cookies to win\n", "N/A", "...", "-" * 5,
     "BEGIN PRIVATE KEY", "http://", "def f():\n    x", "html", "tag"]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(alphabet=st.characters(), max_size=8)), max_size=12).map("".join)
OPTIONAL = st.none() | TEXTS
TURNS = st.lists(
    st.builds(
        Turn,
        system=OPTIONAL,
        prompt=OPTIONAL,
        reasoning=OPTIONAL,
        response=OPTIONAL,
        rejected=OPTIONAL,
        weight=st.sampled_from([None, 0, 1]),
        extra=st.sampled_from([None, {"prompt_role": "tool"}, {"tool_calls": [{"a": 1}]}, {"bare": ["response"]}]),
    ),
    max_size=4,
).map(tuple)


def clean_one(turns: tuple[Turn, ...], rules: Any = RULES_BY_DEFAULT, tools: str | None = None) -> Cleaned:
    (row,) = clean_batch([(ConversationId(7), Conversation(7, turns, "", tools))], rules)
    return row


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_good_text_in_any_script_passes_byte_for_byte(text: str) -> None:
    turns = (Turn(system=text, prompt=text, reasoning=text, response=text),)
    row = clean_one(turns)
    assert (row.state, row.reason, row.changes, row.turns) == (RowState.KEPT, None, (), None)
    assert row.characters == 4 * len(text)
    assert row.content_hash == content_hash(turns, frame_of(turns))
    assert row.fingerprint is None


def test_a_changed_row_has_its_turns_and_says_what_was_done() -> None:
    row = clean_one((Turn(prompt="Caf\u0065\u0301?", response="Yes &amp; no.<br>Mail jo@acme.io \r\n"),))
    assert row.state is RowState.KEPT
    assert row.turns == (Turn(prompt="Café?", response="Yes & no.\nMail [EMAIL]"),)
    assert [(change.rule, change.field) for change in row.changes] == [
        ("unicode", "prompt"),
        ("markup", "response"),
        ("whitespace", "response"),
        ("personal_data", "response"),
    ]
    assert row.content_hash == content_hash(row.turns, frame_of(row.turns))


def test_a_dropped_row_keeps_reason_changes_and_the_turns_so_far() -> None:
    row = clean_one((Turn(prompt="Say it \n", response="<|endoftext|>"),))
    assert (row.state, row.reason) == (RowState.DROPPED, "empty_response")
    assert row.turns == (Turn(prompt="Say it", response=""),)
    assert [change.rule for change in row.changes] == ["special_tokens", "whitespace", "empty_turns"]


def test_one_rule_may_give_an_earlier_one_work() -> None:
    row = clean_one((Turn(prompt="x", response="caf&#195;&#169; open"),))
    assert row.turns is not None
    assert row.turns[0].response == "café open"


def test_rows_come_back_in_the_order_of_the_batch() -> None:
    batch = [(ConversationId(n), Conversation(n, (Turn(prompt="q", response=f"answer {n}"),), "")) for n in (5, 3, 9)]
    assert [row.conversation_id for row in clean_batch(batch, RULES_BY_DEFAULT)] == [5, 3, 9]


def test_without_rules_everything_is_kept() -> None:
    assert clean_one((Turn(response=""),), rules=()).state is RowState.KEPT


def test_tools_reach_hash_and_rules() -> None:
    refusal = (Turn(prompt="Order a pizza", response="I'm sorry, but I can't order food."),)
    assert clean_one(refusal).reason == "refusal"
    assert clean_one(refusal, tools='[{"name": "weather"}]').reason is None
    assert clean_one(refusal).content_hash != clean_one(refusal, tools="[]").content_hash


def test_the_language_of_a_row_is_kept() -> None:
    rules = build([NamedStep(name="language", params={"deny": ["zh"]})])
    row = clean_one(
        (Turn(prompt="孩子们在花园里玩耍，一直玩到天黑", response="看不见球为止，然后他们回家了。"),), rules
    )
    assert (row.reason, row.language) == ("language", "zh")


def test_a_row_that_is_kept_unchanged_passes_as_it_came_unless_it_holds_personal_data() -> None:
    rules = build([NamedStep(name=name) for name in ("control_characters", "whitespace", "personal_data")])

    def kept(prompt: str) -> Cleaned:
        clean = partial(clean_turns, ConversationId(7), (Turn(prompt=prompt, response="Yes."),), None, keep=True)
        return unchanged(clean, rules)

    row = kept("Which\x07 way?   \n\n\n\n\nAh, that one")
    assert (row.turns, row.changes, [tag.word for tag in row.tags]) == (None, (), ["kept_unchanged"])
    assert kept("Which way?").tags == ()
    # seen in mended text only, and seen in what came
    for hidden in ("Write to orla\x00.quint@mill-works.net", "Write to orla.quint@mill-works.net  "):
        row = kept(hidden)
        assert row.turns is not None and row.turns[0].prompt == "Write to [EMAIL]" and row.tags == ()
    rules = build([NamedStep(name="whitespace"), NamedStep(name="personal_data", params={"email": "drop"})])
    assert kept("Write to orla.quint@mill-works.net  ").reason == "personal_email"


def test_the_pass_runs_in_another_process() -> None:
    batch = [(ConversationId(1), Conversation(1, (Turn(prompt="a ", response="b"),), ""))]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(clean_batch, batch, RULES_BY_DEFAULT).result() == clean_batch(batch, RULES_BY_DEFAULT)
    assert pickle.loads(pickle.dumps(clean_batch(batch, RULES_BY_DEFAULT)))[0].turns == (
        Turn(prompt="a", response="b"),
    )


@settings(max_examples=400)
@given(TURNS)
@example((Turn(prompt="&amp;amp;lt;br&gt;", response="x"),))
def test_the_pass_never_raises_and_leaves_kept_rows_as_a_second_pass_would(turns: tuple[Turn, ...]) -> None:
    first = clean_one(turns)
    assert (first.turns is None) == (not any(change.count for change in first.changes) or first.turns == turns)
    after = turns if first.turns is None else first.turns
    assert first.content_hash == content_hash(after, frame_of(after))
    if first.state is RowState.DROPPED:
        return  # the rules after the one that dropped it have not seen it
    second = clean_one(after)
    assert second.turns is None
    assert second.reason == first.reason
    assert second.content_hash == first.content_hash


@settings(max_examples=300)
@given(TURNS)
def test_no_rule_hides_behind_its_screen_or_makes_a_turn_vanish(turns: tuple[Turn, ...]) -> None:
    for rule_class in RULES:
        if rule_class.name == "language":
            continue
        rule = Score(value="record.stars", at_least=1) if rule_class is Score else rule_class()
        result = rule.apply(View(turns))
        if not rule.screen(View(turns)):
            assert result.turns == turns and result.drop_reason is None
        assert len(result.turns) == len(turns)
        assert (result.turns != turns) == any(change.count for change in result.changes)
        assert result.drop_reason is None or result.drop_reason in rule.reasons
        for before, after in zip(turns, result.turns, strict=True):
            assert [text is None for text in before[:5]] == [text is None for text in after[:5]]
            assert before[5:] == after[5:]


def test_rounds_are_added_up_in_one_change() -> None:
    row = clean_one((Turn(prompt="x", response="a&amp;nbsp;\nb &#13; "),))
    assert [change for change in row.changes if change.rule == "whitespace"] == [
        Change("whitespace", 4, 1, "response", 2)
    ]
