"""What the index remembers of a text: its groups of letters, each as the number of a bucket.

Groups are all pairs of neighbours, all triples that are not of one wide script (Chinese, Japanese, Korean: there a pair says
as much as a triple of others), and single wide letters, so that words of one and two characters are found there too. A text
that contains another one has all its groups. Letters are compared casefolded, as `service.pages.contains` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

BITS = 15
BUCKETS = 1 << BITS
_WIDE = 0x2E80  # from here on: CJK, kana, Hangul, and what lies behind them
_FIRST, _SECOND, _THIRD, _MIX = (np.uint32(n) for n in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F))
_ONE, _TWO = np.uint32(0x165667B1), np.uint32(0x61C88647)  # tell groups of one and two letters from those of three
_AT_ONCE = 1 << 18  # letters that are worked on together
_MOST_ASKED = 24  # groups of a query that are looked up


class Groups(NamedTuple):
    """Groups of `length` letters: the bucket of each, and where it begins (None: one at each place)."""

    length: int
    buckets: np.ndarray
    begins: np.ndarray | None


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _bucket(mixed: np.ndarray) -> np.ndarray:
    mixed *= _MIX
    mixed ^= mixed >> np.uint32(15)
    mixed *= _FIRST
    mixed >>= np.uint32(32 - BITS)
    return mixed


def groups(codes: np.ndarray) -> Iterator[Groups]:
    """All groups of a text of code points."""
    first = codes * _FIRST
    pairs = first[:-1] ^ (codes[1:] * _SECOND)
    triples = pairs[:-1] ^ (codes[2:] * _THIRD)
    wide = codes >= _WIDE
    if wide.any():
        mixed = np.flatnonzero(~(wide[:-2] & wide[1:-1] & wide[2:]))
        yield Groups(3, _bucket(triples[mixed]), mixed)
        single = np.flatnonzero(wide)
        yield Groups(1, _bucket(first[single] ^ _ONE), single)
    else:
        yield Groups(3, _bucket(triples), None)
    yield Groups(2, _bucket(pairs ^ _TWO), None)


def wanted(text: str) -> np.ndarray | None:
    """The buckets that every row with this text is in (some of them, of a long text); None when it is too short to have any."""
    found = np.unique(np.concatenate([group.buckets for group in groups(_codes(text.casefold()))]))
    return found[:: -(-found.size // _MOST_ASKED)] if found.size else None


def facet(word: str) -> str:
    """A word about a row, for its text: no text that people search for has its groups, but for those who write U+E000."""
    return f"\ue000{word}\ue000"


def mark(texts: Sequence[str], bits: np.ndarray) -> None:
    """Note the groups of some texts in `bits`, zeros of the shape (BUCKETS, bytes): text n is bit n % 8 of byte n // 8."""
    flat, width = bits.reshape(-1), np.uint32(bits.shape[1])
    for bit in range(8):  # the texts of one bit at a time: what is set twice is the same then
        for places, pieces in _portions(texts[bit::8]):
            codes = _codes("".join(pieces))
            place = np.repeat(np.array(places, dtype=np.uint32), [len(piece) for piece in pieces])
            for length, buckets, begins in groups(codes):
                if begins is None:
                    at, behind = place[: buckets.size], place[length - 1 :]
                else:
                    at, behind = place[begins], place[begins + (length - 1)]
                keys = buckets * width + at
                if length > 1:  # a group that ends in the next text is none
                    keys = keys[at == behind]
                flat[keys] |= np.uint8(1 << bit)


def _portions(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """(place, folded text) of some texts, about _AT_ONCE letters at a time; a longer text in pieces that overlap."""
    places, pieces, letters = list[int](), list[str](), 0
    for place, text in enumerate(texts):
        folded = text.casefold()
        for start in range(0, max(1, len(folded) - 2), _AT_ONCE):
            piece = folded[start : start + _AT_ONCE + 2]
            places.append(place)
            pieces.append(piece)
            letters += len(piece)
            if letters >= _AT_ONCE:
                yield places, pieces
                places, pieces, letters = [], [], 0
    if pieces:
        yield places, pieces
