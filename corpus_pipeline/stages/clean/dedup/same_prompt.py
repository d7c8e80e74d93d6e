"""One prompt with several answers, where the recipe keeps one of them: `keep_first` or `keep_longest`.

Works on what exact and near leave, within one file: rows with the same tools, calls' frame and the same canonical
question are one group. Whatever repeated a row that goes now repeats the one that stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from corpus_pipeline.stages.clean.dedup.canonical import canonical
from corpus_pipeline.stages.clean.dedup.duplicates import SAME_PROMPT, DuplicateArrays, Rows, WordingOf
from corpus_pipeline.stages.clean.dedup.features_numpy import Positions
from corpus_pipeline.stages.clean.dedup.signatures import QUESTION
from corpus_pipeline.stages.clean.dedup.simhash import ANSWER_SIDE, QUESTION_SIDE
from corpus_pipeline.stages.clean.dedup.verification import Wording

_ROWS_AT_ONCE = 256


def with_one_answer(rows: Rows, found: DuplicateArrays, wording_of: WordingOf, *, longest: bool) -> DuplicateArrays:
    """`found` and beside it the kept rows whose question another kept row asks."""
    kept = np.flatnonzero(~np.isin(rows.ids, found.ids) & rows.enough)
    questions = rows.signatures[kept, QUESTION]
    order = np.argsort(questions, kind="stable")
    kept, questions = kept[order], questions[order]
    new = np.ones(len(kept), np.bool_)
    new[1:] = questions[1:] != questions[:-1]
    starts = np.flatnonzero(new)
    kept = kept[np.repeat(np.diff(np.append(starts, len(kept))) > 1, np.diff(np.append(starts, len(kept))))]
    keepers = _keepers(rows, np.sort(kept), wording_of, longest)
    if not keepers:
        return found
    gone = np.array(sorted(keepers), np.int64)
    keeper = np.array([keepers[one] for one in gone.tolist()], np.int64)
    return _with(rows, found, gone, keeper)


def _keepers(rows: Rows, asked: Positions, wording_of: WordingOf, longest: bool) -> dict[int, int]:
    """The place of the row that stays by the place of each one that goes."""
    best: dict[bytes, tuple[int, int]] = {}  # (length of the answer where that counts, minus the place)
    group_of: dict[int, bytes] = {}
    for begin in range(0, len(asked), _ROWS_AT_ONCE):
        part = asked[begin : begin + _ROWS_AT_ONCE].tolist()
        texts: Mapping[int, Wording] = wording_of([int(rows.ids[row]) for row in part])
        for row in part:
            wording = texts.get(int(rows.ids[row]))
            if wording is None or not any(side == QUESTION_SIDE for side, _ in wording):
                continue
            key = _question(wording)
            group_of[row] = key
            size = sum(len(text) for side, text in wording if side == ANSWER_SIDE) if longest else 0
            best[key] = max(best.get(key, (-1, 0)), (size, -row))
    return {row: -best[key][1] for row, key in group_of.items() if row != -best[key][1]}


def _question(wording: Wording) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for side, text in wording:
        digest.update(b"\x1e%d" % side)
        if side == QUESTION_SIDE:
            digest.update("\x1f".join(canonical(text).tokens).encode("utf-8", "surrogatepass"))
    return digest.digest()


def _with(rows: Rows, found: DuplicateArrays, gone: Positions, keeper: Positions) -> DuplicateArrays:
    new_keepers = rows.ids[keeper]
    place = np.searchsorted(rows.ids[gone], found.duplicate_of)
    place = np.minimum(place, len(gone) - 1)
    moved = rows.ids[gone][place] == found.duplicate_of
    followed = found._replace(duplicate_of=np.where(moved, new_keepers[place], found.duplicate_of))
    distance = np.bitwise_count(rows.fingerprints[gone] ^ rows.fingerprints[keeper]).astype(np.int64)
    unknown = np.full(len(gone), np.nan)
    added = DuplicateArrays(
        rows.ids[gone],
        new_keepers,
        new_keepers,
        np.full(len(gone), SAME_PROMPT),
        distance,
        np.ones(len(gone)),
        unknown,
    )
    both = [np.concatenate(pair) for pair in zip(followed, added, strict=True)]
    order = np.argsort(both[0], kind="stable")
    return DuplicateArrays(*(column[order] for column in both))
