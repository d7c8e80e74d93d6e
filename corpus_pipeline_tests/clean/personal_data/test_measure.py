"""Recall and false masks on the labelled sets, and time that grows with the text and no faster."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from time import process_time

import pytest

from corpus_pipeline.stages.clean.personal_data.scanner import KINDS, masked, spans
from corpus_pipeline.stages.clean.personal_data.spans import Source
from corpus_pipeline.stages.clean.personal_data.stand_ins import SameType, label

_FOLDER = Path(__file__).parent


def _set(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (_FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


POSITIVES, LOOKALIKES = _set("positives"), _set("lookalikes")


def _covered(row: dict[str, str]) -> bool:
    start = row["text"].find(row["datum"])
    return any(s.start <= start and s.end >= start + len(row["datum"]) for s in spans(Source(row["text"]), KINDS))


def test_the_sets_are_large_enough_to_measure_on() -> None:
    assert len(POSITIVES) >= 400 and len(LOOKALIKES) >= 400
    assert set(KINDS) == {row["kind"] for row in POSITIVES}


def test_finds_at_least_95_of_100_and_of_each_kind_9_of_10() -> None:
    found = Counter(row["kind"] for row in POSITIVES if _covered(row))
    total = Counter(row["kind"] for row in POSITIVES)
    assert found.total() / total.total() >= 0.95
    assert {kind: share for kind in total if (share := found[kind] / total[kind]) < 0.9} == {}


def test_masks_at_most_2_of_100_lookalikes() -> None:
    false = [(row["text"], found) for row in LOOKALIKES if (found := spans(Source(row["text"]), KINDS))]
    assert len(false) / len(LOOKALIKES) <= 0.02, false


@pytest.mark.parametrize("stand_in", [label, SameType()], ids=["labels", "same_type"])
def test_a_second_pass_finds_nothing_in_stand_ins(stand_in: object) -> None:
    for row in POSITIVES:
        once = masked(Source(row["text"]), KINDS, stand_in, Counter())  # type: ignore[arg-type]
        assert masked(Source(once), KINDS, stand_in, Counter()) == once, row  # type: ignore[arg-type]


PIECES = (
    "a@", "a.", "a@b.", "1.2.3.", "1 ", "1-", "(1", "+1 ", "00", "0 0 ", "::", "2001:", "2:",
    "password=", "password: a ", "token", "://", "://a:b", "https://a:b@", "eyJ", "eyJa.", "sk-",
    '-----BEGIN PRIVATE KEY-----\n', "PRIVATE KEY", "DE89 ", "DE89AAAA", "A1", "0x", "x ",
    "passport A1", "电话1", "phone 1 ", "call (", " at a dot ", "@@", "%40", "%", "é@", "中@中.", "1Aa",
    "bc1", "4111 ", "4111", "[", '"', '\\', "Authorization: Bearer ", "AccountKey=", "SG.a.",
    "is secret is ", "a_", "AB 12 ",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    def seconds(size: int) -> float:
        text = "7 phone " + piece * (size // len(piece)) + " end"
        started = process_time()
        spans(Source(text), KINDS)
        return process_time() - started

    seconds(20_000)
    small, large = seconds(60_000), seconds(480_000)
    assert large < 0.05 or large / max(small, 0.01) < 24  # eight times the text; three times of that for a busy machine
