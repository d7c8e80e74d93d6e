"""64-bit SimHash of many texts at once (Charikar 2002; Manku, Jain, Das Sarma, WWW 2007).

Each feature votes with the 64 bits of its hash; a bit of the fingerprint is set when more than half of the features
have it set. The kernel is proven equal to PyPI `simhash` on the same features and the same feature hash.
"""

from __future__ import annotations

import numpy as np

from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions

_LANES = np.uint64(0x0101010101010101)  # one bit per byte: eight counters that are added at once
_LANE_LIMIT = 255


def votes(hashes: Hashes, bounds: Positions, counts: Positions) -> Hashes:
    """The fingerprint of each row.

    hashes: uint64[f], feature hashes of all rows, each as often as it counts; a hash of 0 votes for no bit.
    bounds: int64[rows + 1], row r has hashes[bounds[r]:bounds[r + 1]].
    counts: int64[rows], how many features each row has (a filler of 0 is not counted).
    Returns uint64[rows]; 0 for a row without features.
    """
    sizes = np.diff(bounds)
    fingerprints = np.zeros(len(sizes), np.uint64)
    filled = np.flatnonzero(sizes)
    if not len(filled):
        return fingerprints
    pieces, first_piece = _pieces(bounds[:-1][filled], sizes[filled])
    lanes = np.empty((len(pieces), 8), np.uint64)  # [piece, bit within byte], eight byte lanes each
    for bit in range(8):
        np.add.reduceat((hashes >> np.uint64(bit)) & _LANES, pieces, out=lanes[:, bit])
    # little endian: [piece, bit within byte, byte] -> [piece, byte, bit], most significant first
    per_piece = lanes.astype("<u8").view(np.uint8).reshape(-1, 8, 8).transpose(0, 2, 1)[:, ::-1, ::-1].reshape(-1, 64)
    ones = per_piece if len(pieces) == len(filled) else np.add.reduceat(per_piece, first_piece, axis=0, dtype=np.int64)
    majority = ones > (counts[filled] // 2)[:, None]
    fingerprints[filled] = np.packbits(majority, axis=1).view(">u8").ravel()
    return fingerprints


def _pieces(starts: Positions, sizes: Positions) -> tuple[Positions, Positions]:
    """Row segments cut so that no byte lane overflows: (start of each piece, first piece of each row)."""
    per_row = -(-sizes // _LANE_LIMIT)
    first = np.cumsum(per_row) - per_row
    within = np.arange(int(per_row.sum())) - np.repeat(first, per_row)
    return np.repeat(starts, per_row) + within * _LANE_LIMIT, first
