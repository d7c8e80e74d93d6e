"""Rules that only judge, and patterns of the recipe: what they find, what they leave, and texts made to be slow."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.model import Turn
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.clean.rules import RULES, build
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View
from corpus_pipeline.stages.clean.rules.composition import Composition
from corpus_pipeline.stages.clean.rules.echoed_question import EchoedQuestion
from corpus_pipeline.stages.clean.rules.encoding_damage import EncodingDamage
from corpus_pipeline.stages.clean.rules.judging import JudgingRule
from corpus_pipeline.stages.clean.rules.mixed_scripts import MixedScripts
from corpus_pipeline.stages.clean.rules.near_empty import NearEmpty
from corpus_pipeline.stages.clean.rules.patterns import Patterns
from corpus_pipeline.stages.clean.rules.score import Score
from corpus_pipeline.stages.clean.rules.token_length import TokenLength
from corpus_pipeline.stages.clean.rules.toxic_words import ToxicWords
from corpus_pipeline.stages.clean.rules.truncated_answer import TruncatedAnswer
from corpus_pipeline_tests.clean.rules.making import one, outcome

ASKED = "Which of the three kettles on the shelf boils first?"
PROSE = "The oldest mill stands by the weir. It was built of oak. Its wheel turns slowly, because the water"
CODE = "Here it is:\n\n```python\nfor kettle in kettles:\n    kettle.boil()\n"

FOUND: list[tuple[type[JudgingRule], tuple[Turn, ...]]] = [
    (TruncatedAnswer, one(response=PROSE)),
    (TruncatedAnswer, one(response=CODE)),
    (
        TruncatedAnswer,
        one(response='{"kettles": [{"name": "copper", "litres": 3}, {"name": "tin", "litres": 2}, {"name": "en'),
    ),
    (TruncatedAnswer, one(response="磨坊在河边。它是用橡木建的。轮子转得很慢，因为水流很小，" * 3)),
    (EchoedQuestion, one(ASKED, ASKED)),
    (EchoedQuestion, one(ASKED, f"**{ASKED.upper()}**\n\nThe copper one.")),
    (NearEmpty, one(response="-> ...")),
    (MixedScripts, one(response="Log in to your pаypal account.")),
    (MixedScripts, one("Что такое кoмпас?", "Прибор.")),
    (EncodingDamage, one(response="The caf\ufffd is closed, and so is the mill.")),
    (EncodingDamage, one(response="We didn?t see it, and they won?t either.")),
    (EncodingDamage, one(response="Salt &amp;amp; pepper stand on the shelf.")),
    (ToxicWords, one(response="You motherfucker, give it back.")),
    (ToxicWords, one(response="Du bist ein Arschloch.")),
    (ToxicWords, one(response="你这个傻逼。")),
]
LEFT: list[tuple[type[JudgingRule], tuple[Turn, ...]]] = [
    (TruncatedAnswer, one(response=PROSE + " is low.")),
    (TruncatedAnswer, one(response=CODE + "```")),
    (TruncatedAnswer, one(response="Kettles. Ladders. We have:\n- a copper kettle of three litres, dented on one side only")),
    (TruncatedAnswer, one(response="It is done. See there. Read more of it here, where all of the kettles are: https://kettles.test/all")),
    (TruncatedAnswer, one(response="Paris")),
    (TruncatedAnswer, one(response="It all adds up. We add them. The sum of the three numbers is then\n#### 42")),
    (TruncatedAnswer, one(response=PROSE, extra={"label": False})),
    (TruncatedAnswer, one(response="Fine.", rejected=PROSE)),
    (EchoedQuestion, one(ASKED, "The copper one boils first.")),
    (EchoedQuestion, one("Why?", "Why? Because.")),
    (EchoedQuestion, one(ASKED, ASKED, weight=0)),
    (EchoedQuestion, one(ASKED, f"# {ASKED}\nfor kettle in kettles:\n    kettle.boil()\nprint(min(kettles))")),
    (NearEmpty, one(response="Yes.")),
    (NearEmpty, one(response="水壶很旧")),
    (MixedScripts, one(response="Компас is Russian for compass; 5 μm, Δx and πr are formulas.")),
    (EncodingDamage, one("What does the sign \ufffd stand for in Unicode?", "For a lost character.")),
    (EncodingDamage, one(response="Is it so? then go. See https://mill.test/?t=1&s=2 for it.")),
    (EncodingDamage, one(response="Use `caf\\u00e9` in the source.")),
    (ToxicWords, one(response="The cockerel of Scunthorpe sits on the shuttle.")),
    (ToxicWords, one("You motherfucker.", "Please stay polite.")),
]  # fmt: skip


def name_of(value: Any) -> str:
    return value.name if isinstance(value, type) else ""


@pytest.mark.parametrize(("kind", "turns"), FOUND, ids=name_of)
def test_what_is_found_is_tagged_or_dropped(kind: type[JudgingRule], turns: tuple[Turn, ...]) -> None:
    tagged, dropped = outcome(kind(), turns), outcome(kind(do="drop"), turns)
    assert [tag.word for tag in tagged.tags] == list(kind.words) and tagged.drop_reason is None
    assert dropped.drop_reason == kind.words[0] and dropped.turns is not None


@pytest.mark.parametrize(("kind", "turns"), LEFT, ids=name_of)
def test_what_is_fine_is_left(kind: type[JudgingRule], turns: tuple[Turn, ...]) -> None:
    result = outcome(kind(do="drop"), turns)
    assert result.drop_reason is None and not result.tags


@pytest.mark.parametrize("do", ["tag", "drop"])
def test_an_answer_with_a_letter_or_a_digit_is_never_dropped_as_near_empty(do: str) -> None:
    result = outcome(NearEmpty(do=do), one(response="-> 7."))
    assert words(result) == ["near_empty"] and result.drop_reason is None


def words(result: Outcome) -> list[str]:
    return [tag.word for tag in result.tags]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("```python\nimport kettle\n\nkettle.boil(3)\n```", ["mostly_code"]),
        ("def boil(kettle):\n    kettle.heat = 3\n    return kettle.heat", ["mostly_code"]),
        (r"$$\int_0^1 x^2 dx = \frac{1}{3}$$", ["mostly_maths"]),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", ["mostly_markup"]),
        ("return to a life by the sea.", []),
        ("$21,573", []),
        ("The kettle boils. `boil()` says so.", []),
    ],
)
def test_the_composition_of_answers(text: str, tags: list[str]) -> None:
    assert words(outcome(Composition(), one(response=text))) == tags
    bounds = Composition(max_code=0.3, max_maths=0.3, max_markup=0.3)
    assert (outcome(bounds, one(response=text)).drop_reason is not None) == bool(tags)


def test_words_of_the_recipe_extend_and_shorten_the_lists() -> None:
    own = ToxicWords(languages=("en",), further=("rotten kettle",), without=("twat",))
    assert words(outcome(own, one(response="What a Rotten Kettle!"))) == ["toxic_words"]
    assert not words(outcome(own, one(response="twat"))) and not words(outcome(own, one(response="Arschloch")))
    with pytest.raises(UnknownName):
        ToxicWords(languages=("xx",))


def test_tokens_are_estimated_and_the_verdict_says_so() -> None:
    turns = one("a" * 400, "b" * 400)
    assert outcome(TokenLength(max_tokens=199, do="drop"), turns).detail == "about 200 > 199"
    assert outcome(TokenLength(min_tokens=201, do="drop"), turns).drop_reason == "too_few_tokens"
    assert outcome(TokenLength(min_tokens=200, max_tokens=200, do="drop"), turns).drop_reason is None


def test_tokens_are_counted_by_a_tokenizer(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "kettle": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(path := tmp_path / "tokenizer.json"))
    rule = TokenLength(tokenizer=str(path), max_tokens=4, do="drop")
    assert outcome(rule, one("kettle kettle", "kettle kettle kettle")).detail == "5 > 4"
    assert outcome(rule, one("kettle kettle", "kettle kettle")).drop_reason is None
    with pytest.raises(UsageError, match="there is no file"):
        TokenLength(tokenizer=str(tmp_path / "other.json"))


def patterns(**pattern: Any) -> Patterns:
    return Patterns(patterns=[{"name": "kettles", **pattern}])


def test_patterns_drop_keep_replace_and_tag() -> None:
    turns, other = one(response="A copper kettle.\nBuy 3 now!"), one(response="A ladder.")
    assert outcome(patterns(match="kettle", do="drop"), turns).drop_reason == "kettles"
    assert outcome(patterns(match="kettle", do="keep"), turns).drop_reason is None
    assert outcome(patterns(match="kettle", do="keep"), other).drop_reason == "kettles"
    assert words(outcome(patterns(match="KETTLE", ignore_case=True), turns)) == ["kettles"]
    assert not words(outcome(patterns(match="kettle", fields=["prompt"]), turns))
    changed = outcome(patterns(match=r"^Buy (\d+) now!$", do="replace", by=r"[\1]"), turns)
    assert changed.turns[0].response == "A copper kettle.\n[3]" and changed.changes[0].detail == "kettles"
    assert outcome(patterns(match="kettle", do="drop"), one(response="kettle \ud800")).drop_reason == "kettles"
    assert pickle.loads(pickle.dumps(patterns(match="a"))).params == patterns(match="a").params


@pytest.mark.parametrize(
    "pattern",
    [
        {"match": "("},
        {"match": r"(a)\1"},  # no back reference in RE2: that is what makes it linear
        {"match": "a", "do": "replace"},
        {"match": "a", "by": "b"},
        {"match": "a", "do": "replace", "by": r"\2"},
        {"match": "a", "name": "Not a word"},
    ],
)
def test_a_bad_pattern_is_refused_with_its_place(pattern: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        patterns(**pattern)
    with pytest.raises(UsageError, match=r"clean.rules\[0\].patterns.patterns"):
        build([NamedStep(name="patterns", params={"patterns": [{"name": "kettles", **pattern}]})])


SLOW = (
    "<!--",
    "<a ",
    "&amp;",
    "$",
    "\\(",
    "`",
    "```\n",
    "[",
    "{",
    "a" * 40 + " ",
    "Ã©",
    "аa",
    "a?",
    "1.",
    "(a",
    "://x",
    "# ",
)
NEEDS_TIME = {"language"}  # a model, linear and slow


MADE: dict[type[Rule], Callable[[], Rule]] = {  # those that say nothing without parameters
    Patterns: lambda: patterns(match="(a*)*b"),
    Score: lambda: Score(value="record.stars", at_least=1),
}


@pytest.mark.parametrize("kind", [rule for rule in RULES if rule.name not in NEEDS_TIME], ids=name_of)
def test_texts_made_to_be_slow_take_no_long_time(kind: type[Rule]) -> None:
    rule = MADE[kind]() if kind in MADE else kind()
    for piece in SLOW:
        turns = one("Say it again, please: all of it.", piece * (60_000 // len(piece)))
        assert rule.apply(View(turns)) is not None


def test_a_quotation_with_its_author_is_no_answer_that_breaks_off() -> None:
    said = 'The mill is by the river. It is built of oak. As they say: "Slow wheels grind fine." - An Old Miller'
    assert TruncatedAnswer().fault(View(one(response=said))) is None
