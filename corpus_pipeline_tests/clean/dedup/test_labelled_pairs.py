"""The labelled pairs of `benchmarks/verdicts/pairs`: what deduplication may not drop, and what it has to find."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

VERDICTS = Path(__file__).resolve().parents[3] / "benchmarks" / "verdicts"
MINIMAL = ("number", "negation", "name", "order", "code", "answer", "script", "record", "wrap")
LENGTHS = ("0-100", "100-400", "400-1000", "1000-")


class Figures:
    """How often pairs of a label are judged otherwise than labelled."""

    def __init__(self, counts: dict[str, dict[str, int]]) -> None:
        self.counts = {tuple(key.split()): count for key, count in counts.items()}

    def wrong(self, label: str, kinds: tuple[str, ...], length: str = "") -> tuple[int, int]:
        """(wrong pairs, pairs) of some kinds."""
        found = Counter[str]()
        for (said, kind, _, characters), count in self.counts.items():
            if said == label and kind in kinds and length in ("", characters):
                found.update(count)
        return found["wrong"], found["pairs"]


@pytest.fixture(scope="module")
def figures() -> Figures:
    done = subprocess.run(
        [sys.executable, VERDICTS / "pairs.py", "--json"], capture_output=True, text=True, check=True, timeout=300
    )
    return Figures(json.loads(done.stdout)["counts"])


def pairs() -> list[dict[str, Any]]:
    with (VERDICTS / "pairs" / "pairs.jsonl").open(encoding="utf-8") as lines:
        return list(map(json.loads, lines))


def test_the_set_is_large_and_mixed() -> None:
    found = pairs()
    assert len(found) >= 600 and len({pair["kind"] for pair in found}) >= 10
    assert len({pair["id"] for pair in found}) == len(found) and all(pair["reason"] for pair in found)
    different = sum(not pair["same"] for pair in found)
    assert different >= len(found) / 2
    languages = Counter(pair["language"] for pair in found)
    assert languages["en"] >= 300 and languages["zh"] >= 200 and {"de", "ja", "ko", "th"} <= languages.keys()


def test_no_minimal_pair_is_dropped(figures: Figures) -> None:
    wrong, made = figures.wrong("different", MINIMAL)
    assert made >= 300 and wrong == 0


def test_no_long_row_with_one_changed_fact_is_dropped(figures: Figures) -> None:
    wrong, made = figures.wrong("different", ("passage",))
    assert made >= 70 and wrong == 0


@pytest.mark.parametrize("length", LENGTHS)
def test_form_and_what_is_wrapped_around_a_text_are_seen_through(figures: Figures, length: str) -> None:
    wrong, made = figures.wrong("same", ("form", "wrap", "record"), length)
    assert made >= 1 and wrong <= 0.05 * made


def test_small_edits_of_long_texts_are_found(figures: Figures) -> None:
    wrong = made = 0
    for length in LENGTHS[2:]:
        some = figures.wrong("same", ("edit",), length)
        wrong, made = wrong + some[0], made + some[1]
    assert made >= 40 and wrong <= 0.1 * made
