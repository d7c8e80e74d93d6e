"""The automaton that lets most texts go must let none go that one of its patterns matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.stages import refusals
from corpus_pipeline.stages.augment.validators import task_talk
from corpus_pipeline.stages.first_look import MayMatch

TALK = {name: words.always for name, words in task_talk._WORDS.items()}


@pytest.mark.parametrize("language", TALK)
def test_whatever_talks_about_the_task_may_match(language: str) -> None:
    pattern = re.compile(TALK[language], re.IGNORECASE)

    @given(st.from_regex(pattern), st.sampled_from([str, str.upper, str.title, str.swapcase]))
    @settings(max_examples=60)
    def check(text: str, case: type) -> None:
        changed = case(text)
        if pattern.search(changed):
            assert task_talk._MAY_TALK.search(changed)

    check()


@pytest.mark.parametrize("language", refusals.LANGUAGES)
def test_whatever_begins_as_a_refusal_may_match(language: str) -> None:
    words = refusals.LANGUAGES[language]

    @given(st.from_regex(words.explicit) | st.from_regex(words.general) | st.from_regex(words.limits))
    @settings(max_examples=40)
    def check(text: str) -> None:
        assert refusals._MAY_REFUSE.search(text)

    check()


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\Aça va\b", "Ça va"),
        (r"ist\w+", "İSTEDİĞİNİZ"),
        (r"\bk\s+m$", "\N{KELVIN SIGN}\N{NO-BREAK SPACE}M"),
        (r"(?<!x)[^a-z]{2,4}?(?=y)é", "??É"),
        (r"\d+ \S", "١٢ é"),
    ],
)
def test_letters_blanks_and_digits_of_every_script_count(pattern: str, text: str) -> None:
    assert re.search(pattern.replace("(?=y)", ""), text, re.IGNORECASE)
    assert MayMatch([pattern], ignore_case=True).search(text)


def test_what_has_none_of_their_words_is_let_go() -> None:
    assert not MayMatch([r"\bsorry\b", r"cannot (?:help|say)"], ignore_case=True).search("The beds are watered at six.")
