"""The quick ways through plain prose find what the patterns find."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.stages.clean.dedup import canonical, edits, meaning
from corpus_pipeline.stages.clean.dedup.edits import Bounds

PIECES = st.sampled_from(
    [*"abzAZ019 .,:;!?\"'()[]/-–_*`~<>=+#&|{}$%\n\t\r\u00a0\x1c\x85é界ไ", " - ", "don't", "3rd", "1,000.5", "12:30", "-5",
     "7/8", "Kim", " the ", "A", "::", "def f():", "return x;", "**", "'tis", "rock'n'roll", "İ", "ſ", "x = y", "> ", "- "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=40)


@pytest.mark.parametrize(
    "token", [edits._TOKEN, canonical._PLAIN_TOKEN, edits._PLAIN_TOKEN], ids=["edits", "plain", "any"]
)
@given(text=TEXTS)
def test_words_are_what_the_pattern_finds(token: re.Pattern[str], text: str) -> None:
    for line in text.lower().split("\n"):
        assert canonical.words_of(line, token) == token.findall(line)


@given(text=TEXTS)
def test_plain_lines_have_the_same_canonical_tokens_the_long_way(text: str) -> None:
    quick = canonical._tokens(text)
    with patch.object(canonical, "is_plain", return_value=False):
        assert canonical._tokens(text) == quick


@given(text=TEXTS)
def test_a_text_is_the_same_the_long_way(text: str) -> None:
    quick = edits._Text(text)
    with patch.object(edits, "is_plain", return_value=False):
        slow = edits._Text(text)
        expected = [match and match.span() for match in map(slow.match, range(len(slow.words)))]
    assert (quick.lines, quick.words, quick.starts, quick.code) == (slow.lines, slow.words, slow.starts, slow.code)
    # asked from the last one down, so that what is looked up once must serve the others
    found = [match and match.span() for match in map(quick.match, reversed(range(len(quick.words))))]
    assert found[::-1] == expected


@given(one=TEXTS, other=TEXTS)
def test_texts_that_plainly_differ_have_other_canonical_tokens(one: str, other: str) -> None:
    if edits.plainly_differ(one, other):
        assert canonical.canonical(one).tokens != canonical.canonical(other).tokens


def test_plain_texts_do_differ_plainly() -> None:
    assert edits.plainly_differ("The cat sat on the mat.", "The dog sat on the mat.")
    assert not edits.plainly_differ("The cat sat.", "the cat  sat")
    assert not edits.plainly_differ("The *cat* sat.", "The dog sat.")  # not plain: the canonical tokens decide


@given(
    head=st.text(alphabet="ab \u754c!", max_size=30), words=st.lists(st.text(alphabet="xy:,", min_size=1), max_size=15)
)
def test_a_field_has_a_short_name_and_twelve_words_at_most(head: str, words: list[str]) -> None:
    sentence = f"{head}: {' '.join(words)}"
    # any of its colons may end the name
    ends = [place for place, sign in enumerate(sentence) if sign == ":"]
    expected = any(
        re.fullmatch(r"\W*[\w ]{1,24}", sentence[:end]) and len(sentence[end + 1 :].split()) <= 12 for end in ends
    )
    assert meaning._is_field(sentence) == expected


def test_a_long_line_behind_a_colon_is_read_in_one_go() -> None:
    """Cutting its words in every way would take longer than anyone lives."""
    assert not meaning.is_question("Note: " + "thirteenletters " * 40 + "end.")
    assert meaning.is_question("Style: formal")
    long = " ".join(f"passage{number} says: this and that, at length" for number in range(60))
    assert edits.similarity(long, long.replace("passage7 ", "passage7 also "), Bounds(), question=True) > 0.9
