"""The shingles of many texts at once, hashed as PyPI `simhash` hashes them: the last 8 bytes of md5.

Characters of the basic plane take 16 bits, so that four of them are one word: equal shingles are found by sorting
words, and each distinct one is hashed once. Wider shingles and characters beyond the basic plane go the plain way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from corpus_pipeline.stages.clean.dedup import features
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions

_MAX_KNOWN = 1 << 20
_PACKED_WIDTH = 4
_PACKED_BITS = 16


class Shingles:
    """Hashes shingles of `width` characters and remembers them from batch to batch, about 100 MB at most."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.known: dict[str, int] = {}
        self.packed: dict[int, int] = {}

    def hashes(self, texts: Sequence[str]) -> tuple[Hashes, Positions]:
        """(uint64[f] hashes in reading order, int64[rows + 1] where each row's begin); see `character_features`."""
        contents = ["".join(features.WORD_CHARACTERS.findall(text.lower())) for text in texts]
        lengths = np.fromiter(map(len, contents), np.int64, len(contents))
        bounds = np.zeros(len(contents) + 1, np.int64)
        np.cumsum(np.maximum(lengths - self.width + 1, 1), out=bounds[1:])
        codes = np.frombuffer("".join(contents).encode("utf-32-le"), np.dtype("<u4"))
        packable = self.width <= _PACKED_WIDTH and len(codes) and codes.max() < 1 << _PACKED_BITS
        if packable and lengths.min() >= self.width:
            return self._by_word(codes, lengths), bounds
        found = [self._hash(shingle) for text in texts for shingle in features.character_features(text, self.width)]
        return np.array(found, np.uint64), bounds

    def _by_word(self, codes: np.ndarray, lengths: Positions) -> Hashes:
        """The hashes of all shingles that lie within one row; each row has at least one."""
        words = np.zeros(len(codes) - self.width + 1, np.uint64)
        for place in range(self.width):
            words <<= np.uint64(_PACKED_BITS)
            words |= codes[place : len(codes) - self.width + 1 + place]
        within = np.ones(len(words), np.bool_)
        row_ends = np.cumsum(lengths)[:-1]
        for before in range(1, self.width):
            within[row_ends - before] = False
        distinct, places = np.unique(words[within], return_inverse=True)
        return np.array([self._packed_hash(word) for word in distinct.tolist()], np.uint64)[places]

    def _packed_hash(self, word: int) -> int:
        value = self.packed.get(word)
        if value is None:
            if len(self.packed) >= _MAX_KNOWN:
                self.packed.clear()
            shifts = range(_PACKED_BITS * (self.width - 1), -1, -_PACKED_BITS)
            value = _md5("".join(chr(word >> shift & 0xFFFF) for shift in shifts))
            self.packed[word] = value
        return value

    def _hash(self, shingle: str) -> int:
        value = self.known.get(shingle)
        if value is None:
            if len(self.known) >= _MAX_KNOWN:
                self.known.clear()
            value = self.known[shingle] = _md5(shingle)
        return value


def _md5(shingle: str) -> int:
    return int.from_bytes(hashlib.md5(shingle.encode("utf-8"), usedforsecurity=False).digest()[-8:], "big")
