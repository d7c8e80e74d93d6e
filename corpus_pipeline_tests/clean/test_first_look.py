"""A first look says yes wherever the pattern behind it matches, and a screen wherever its rule has something to say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import Turn
from corpus_pipeline.stages import refusals
from corpus_pipeline.stages.clean.dedup import form_noise
from corpus_pipeline.stages.clean.personal_data import api_keys, identity_numbers, scanner
from corpus_pipeline.stages.clean.rules import repetition, subjects
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.empty_turns import EmptyTurns
from corpus_pipeline.stages.clean.rules.repetition import Repetition
from corpus_pipeline.stages.first_look import MayMatch, Screened, Which, words_needed

SUBJECTS = {name: value for name, value in vars(subjects).items() if isinstance(value, Screened)}
VERBS = ("help", "say")
AROUND = st.text(alphabet="ab 1_é界\n.ſK", max_size=6)


@pytest.mark.parametrize("name", SUBJECTS)
@given(data=st.data())
def test_a_subject_is_seen_wherever_its_words_are(name: str, data: st.DataObject) -> None:
    subject = SUBJECTS[name]
    words = data.draw(st.from_regex(re.compile(subject.compiled.pattern, subject.compiled.flags)))
    text = data.draw(AROUND) + words + data.draw(AROUND)
    found, expected = subject.search(text), subject.compiled.search(text)
    assert (found and found.span()) == (expected and expected.span())


def test_a_subject_lets_other_texts_go() -> None:
    assert all(subject.search("Nobody walks there.") is None for subject in SUBJECTS.values())
    assert subjects.BLANKS.search("Remove the trailing spaces.") is not None


@given(data=st.data())
def test_numbers_are_seen_wherever_their_patterns_match(data: st.DataObject) -> None:
    numbers = identity_numbers._NUMBERS
    place = data.draw(st.integers(0, len(numbers) - 1))
    text = data.draw(AROUND) + data.draw(st.from_regex(re.compile(numbers[place].pattern.pattern))) + data.draw(AROUND)
    seen = identity_numbers._which()(text)
    assert seen == sorted(seen)
    assert {at for at, number in enumerate(numbers) if number.pattern.search(text)} <= set(seen)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?<![a-z])\d{3}(?=x)", "१२३x"),
        (r"(?P<a>[ -]?)\d(?P=a)\d", "-1-2"),
        (r"\bterm\u00e9\b", "le termé."),
        (r"a\s+b", "a\u2003\x0bb"),
        (r"[^\W\d]{2,}?\Z", "éé"),
        (r"^(?:x|y){0,3}$", "xyx"),
        (r"q[\]}]{2}\{3\}", "q]}{3}"),
    ],
)
def test_what_re2_lacks_is_made_wider(pattern: str, text: str) -> None:
    assert re.search(pattern, text)
    assert Screened(pattern).search(text) is not None
    assert Which(["nothing", pattern])(text) == [1]


HINTS = [
    *api_keys.HINTS,
    *(hint.decode() for hint in (*scanner._PASSWORD_HINTS, *scanner._PASSPORT_HINTS, *scanner._MAIL_HINTS)),
]
SIGNS = st.sampled_from(
    [*HINTS, *"19.:/@- \u00a0‐aZ", " at ", " dot ", "::", "//0x", "0.5", "1234567", "12 34 56 7", "(12) 34.56-7", "a" * 25,
     "ABCDE1234F", "AB-12 34 56 C", "1234567-A", "123456B123", "ABCD 123456"]
)  # fmt: skip


@given(parts=st.lists(SIGNS, max_size=12))
def test_the_first_look_misses_no_sign(parts: list[str]) -> None:
    text = "".join(parts)
    data = text.encode()
    assert scanner.signs_of(text) == scanner._signs_one_by_one(text, data, data)


@pytest.mark.parametrize("hint", HINTS)
def test_every_hint_is_a_sign_beside_a_digit(hint: str) -> None:
    assert scanner.signs_of(f"the {hint} of 1 and 2345678") > 0


TAILS = st.lists(
    st.sampled_from(
        ["Thanks", "in advance", "I hope", "this", "helps", "Best", "regards", "Feel", "free", "to ask", "let me", "know if",
         "you have", "any", "questions", "is there", "anything", "else", "I can", "have a", "nice", "day", "Sincerely", "yours",
         "good", "Hello", "hi", "Dear", "team", "how", "\t",
         "\x0b", "\n", " ", " ", ". ", "! ", ", ", "ſ", "K", "谢谢", "é", "Kim"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(text=TAILS)
def test_greetings_and_closings_are_found_as_without_a_first_look(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick = form_noise.stripped(text)
        patch.setattr(form_noise, "_may_close", lambda tail: any(map(tail.__contains__, form_noise._HINTS)))
        patch.setattr(form_noise, "_GREETS", ("",))
        assert form_noise.stripped(text) == quick


TEXTS = st.none() | st.sampled_from(
    ["", " ", "\n\u3000", "Why?", "...", "N/A", "<nooutput>", "Yes. " * 40, "a b c " * 60, "An answer. " * 9, "x" * 70]
)


@given(texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), extra=st.none() | st.just({"label": True}))
def test_a_screen_says_yes_where_the_rule_says_anything(
    texts: tuple[str | None, ...], extra: dict[str, bool] | None
) -> None:
    view = View((Turn(*texts, None, extra),))
    for rule in (EmptyTurns(), Repetition(min_characters=20)):
        outcome = rule.apply(view)
        assert rule.screen(view) or (outcome.drop_reason is None and not outcome.tags and not outcome.changes)


@given(
    text=st.lists(st.sampled_from(["One. ", "Two! ", "Three? ", "四。", "\n", "x", ". "]), max_size=30).map("".join),
    least=st.integers(1, 6),
)
def test_repeats_are_seen_as_by_cutting_at_every_stop(text: str, least: int) -> None:
    stops = repetition._ASCII_STOPS if text.isascii() else repetition._STOPS
    cut = [text.split(stop) for stop in stops]
    expected = any(len(parts) > least and len(parts) - len(set(parts)) >= least for parts in cut)
    assert repetition._may_repeat(text, least) == expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (
            r"\bi (?:can(?:not|'t)|won't) (?:help|say)\b",
            {f"i {no} {verb}" for no in ("cannot", "can't", "won't") for verb in VERBS},
        ),
        (r"sorry[^.]{0,40}unable", {"unable"}),
        (r"(?:as an? )?\w+ model(?= of)", {" model"}),
        (r"colou?rs?\s+[ab]lack", {"alack", "black"}),
        (r"(?:ab)+c{2}", {"ab"}),
        (r"yes|\d+", None),
        (r"(?:maybe)?", None),
    ],
)
def test_the_words_that_every_match_of_a_pattern_has(pattern: str, words: set[str] | None) -> None:
    assert words_needed(pattern) == words


@pytest.mark.parametrize("strength", refusals._SAYS)
@given(data=st.data())
def test_every_match_has_a_word_that_its_pattern_needs(strength: refusals.Strength, data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(list(refusals._SAYS[strength].values())))
    needed = words_needed(pattern)
    assert needed is not None
    text = data.draw(st.from_regex(pattern))
    assert any(word in text for word in needed)


def test_patterns_of_which_one_needs_no_word_are_asked_all_the_same() -> None:
    may_match = MayMatch([r"\bsorry\b", r"\d{3}"])
    assert may_match.search("the number 123")
    assert may_match.search("sorry")
    assert not may_match.search("12")
