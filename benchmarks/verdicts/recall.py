"""Recall by kind of noise: noisy copies of real rows behind the rows themselves; how many are found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from corpora import duplicates, places
from noise import EDITS, FORM, Noise, sample

from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.recipe import DedupSection

LENGTHS = (100, 400, 1000)  # characters of a row
_QUESTION_FIELDS = 2


class Count(NamedTuple):
    """Noisy copies that were found, and how many there were."""

    found: int
    made: int


def bucket(characters: int) -> str:
    """The class of length of a row."""
    edges = (0, *LENGTHS)
    for low, high in zip(edges, LENGTHS, strict=False):
        if characters < high:
            return f"{low}-{high}"
    return f"{LENGTHS[-1]}-"


def measured(
    rows: Sequence[Conversation], size: int, seed: int, dedup: DedupSection | None = None
) -> dict[tuple[str, str], Count]:
    """By kind of noise and class of length."""
    made, found = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    known = set(places(duplicates(rows, dedup).ids))
    distinct = [number for number in range(len(rows)) if number not in known]
    for kind, noise in kinds().items():
        chance = random.Random(f"{seed} {kind}")
        copies, originals = list[Conversation](), list[int]()
        for number in sample(distinct, size, chance):
            copy = noisy(rows[number], noise, chance)
            if copy is not None:
                copies.append(copy)
                originals.append(number)
        if not copies:
            continue
        dropped = set(places(duplicates([*rows, *copies], dedup).ids))
        for place, number in enumerate(originals, len(rows)):
            length = sum(len(text) for turn in rows[number].turns for text in turn[:5] if text)
            key = (kind, bucket(length))
            made[key] += 1
            found[key] += place in dropped
    return {key: Count(found[key], made[key]) for key in made}


def kinds() -> Mapping[str, Noise]:
    """Every kind of noise."""
    return {**FORM, **EDITS}


def noisy(row: Conversation, noise: Noise, chance: random.Random) -> Conversation | None:
    """A copy of a row with noise; None when it would be the row itself."""
    places_of = [(t, f) for t, turn in enumerate(row.turns) for f, text in enumerate(turn[:5]) if text]
    texts = [(int(f >= _QUESTION_FIELDS), str(row.turns[t][f])) for t, f in places_of]
    changed = noise(texts, chance) if texts else None
    if changed is None or changed == texts:
        return None
    turns = [list(turn) for turn in row.turns]
    for (turn, field), (_, text) in zip(places_of, changed, strict=True):
        turns[turn][field] = text
    return row._replace(turns=tuple(Turn(*turn) for turn in turns))
