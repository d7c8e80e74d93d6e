"""data-juicer's filters of text as they install: `python data_juicer_filters.py ROWS.jsonl DROPPED.jsonl`.

The filters with which its recipes for fine-tuning clean and that need no model or list from the network, with their
defaults. Each looks at every row by itself; a line is written for each row that it would drop.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from data_juicer.ops.filter.alphanumeric_filter import AlphanumericFilter
from data_juicer.ops.filter.average_line_length_filter import AverageLineLengthFilter
from data_juicer.ops.filter.character_repetition_filter import CharacterRepetitionFilter
from data_juicer.ops.filter.maximum_line_length_filter import MaximumLineLengthFilter
from data_juicer.ops.filter.special_characters_filter import SpecialCharactersFilter
from data_juicer.ops.filter.text_length_filter import TextLengthFilter
from data_juicer.ops.filter.word_repetition_filter import WordRepetitionFilter
from data_juicer.ops.filter.words_num_filter import WordsNumFilter
from data_juicer.utils.constant import Fields

FILTERS = (
    AlphanumericFilter,
    AverageLineLengthFilter,
    CharacterRepetitionFilter,
    MaximumLineLengthFilter,
    SpecialCharactersFilter,
    TextLengthFilter,
    WordRepetitionFilter,
    WordsNumFilter,
)
_BATCH = 1_000


def main() -> None:
    """Write one line for each row and filter that drops it."""
    source, out = map(Path, sys.argv[1:3])
    filters = {kind.__name__.removesuffix("Filter"): kind() for kind in FILTERS}
    with source.open(encoding="utf-8") as rows, out.open("w", encoding="utf-8") as dropped:
        for batch in batched(map(json.loads, rows), _BATCH):
            for name, one in filters.items():
                samples = {"text": [row["text"] for row in batch], Fields.stats: [{} for _ in batch]}
                seen = one.compute_stats_batched(samples)
                for row, stats, keep in zip(batch, seen[Fields.stats], one.process_batched(seen), strict=True):
                    if not keep:
                        said = ", ".join(f"{key} {value:.3g}" for key, value in stats.items())
                        dropped.write(json.dumps({"id": row["id"], "filter": name, "reason": said}) + "\n")


def batched(rows: Iterator[dict[str, str]], size: int) -> Iterator[list[dict[str, str]]]:
    """Rows in lists of `size` at most."""
    while batch := list(islice(rows, size)):
        yield batch


if __name__ == "__main__":
    main()
