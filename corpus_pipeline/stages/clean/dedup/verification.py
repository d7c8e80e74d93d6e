"""Whether two rows of one frame are near-duplicates, from their texts: each part by itself.

`Form` is what rows that differ in form alone have in common. `verified` compares text with text: a short one must have the
same canonical tokens, a long one may have harmless edits (`edits`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.dedup.canonical import canonical
from corpus_pipeline.stages.clean.dedup.edits import Bounds, plainly_differ, similarity
from corpus_pipeline.stages.clean.dedup.simhash import ANSWER_SIDE, QUESTION_SIDE

Wording = Sequence[tuple[int, str]]
_QUESTION_FIELDS = 2  # of Turn: system and prompt


class Form(NamedTuple):
    """key: a hash of the canonical tokens of all texts; signature: who signed them, "" when no one did."""

    key: bytes
    signature: str


class Likeness(NamedTuple):
    """How like two rows are, 0..1, by side; the least of its texts."""

    question: float
    answer: float


def wording_of(turns: Sequence[Turn]) -> list[tuple[int, str]]:
    """(side, text) of every text of a conversation that is not empty, in reading order."""
    return [
        (QUESTION_SIDE if number < _QUESTION_FIELDS else ANSWER_SIDE, text)
        for turn in turns
        for number, text in enumerate(turn[:5])
        if text
    ]


def form_of(wording: Wording) -> Form:
    """The form of a row."""
    found = [canonical(text) for _, text in wording]
    digest = hashlib.blake2b(digest_size=16)
    for one in found:
        digest.update("\x1f".join(one.tokens).encode("utf-8", "surrogatepass"))
        digest.update(b"\x1e")
    return Form(digest.digest(), "\x1e".join(one.signature for one in found).strip("\x1e"))


def verified(one: Wording, other: Wording, weights: Sequence[float], bounds: Bounds) -> Likeness | None:
    """How like two rows of one CLASS are; None when they are no near-duplicates.

    weights: by side, the share of the common text that tells these rows from others (`candidates.weights`).
    """
    if [side for side, _ in one] != [side for side, _ in other]:
        return None
    least = [1.0, 1.0]
    for (side, text), (_, other_text) in zip(one, other, strict=True):
        if text == other_text:
            continue
        found = similarity(text, other_text, bounds, question=side == QUESTION_SIDE, distinctive=float(weights[side]))
        if found <= 0 and plainly_differ(text, other_text):
            return None
        if found <= 0 or found == 1:  # short, or told apart by form alone
            forms = canonical(text), canonical(other_text)
            if forms[0].tokens != forms[1].tokens and found <= 0:
                return None
            if forms[0].tokens == forms[1].tokens and len({forms[0].signature, forms[1].signature} - {""}) > 1:
                return None
        least[side] = min(least[side], found if found > 0 else 1.0)
    return Likeness(*least)
