"""Cards behind a number sign, and of layouts that need a word."""

from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.personal_data.scanner import KINDS, spans
from corpus_pipeline.stages.clean.personal_data.spans import Source


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Raise the limit of card # 4539578763621486 today.", True),
        ("Raise the limit of my Visa no. #4539578763621486.", True),
        ("My card 180012345678905 was stolen.", True),
        ("My card 501800000009 was stolen.", True),
        ("Order # 4539578763621486 is on its way.", False),
        ("Batch 180012345678905 left the mill.", False),
        ("Batch 501800000009 left the mill.", False),
        ("My card 501800000008 was stolen.", False),
    ],
)
def test_a_card_is_what_words_and_checksum_say(text: str, found: bool) -> None:
    assert [span.kind for span in spans(Source(text), KINDS)] == ["card"] * found
