"""The rule pass over stored rows: the same in one process and in several."""

from __future__ import annotations

from typing import Any

from corpus_pipeline.jobs.process_pool import computing, several
from corpus_pipeline.model import TaskId
from corpus_pipeline.recipe import CleanSection
from corpus_pipeline.stages.clean.worker import CleanWorker, Page, joined
from corpus_pipeline.store.cleaned import ROW_COLUMNS, TURN_COLUMNS

SECTION, TASK = CleanSection(), TaskId(7)
WORDS = "a vessel box of this kind is faint because harbour stones escape it suddenly in the morning".split()


def page(first: int, number: int) -> Page:
    """Rows of one to three turns: some deleted, with tools, untidy, empty, with a lone surrogate or a huge number."""
    heads, turns = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    for row in range(first, first + number):
        heads.append((row, '[{"type": "function"}]' if row % 7 == 0 else None, int(row % 11 == 0), None))
        text = " ".join(WORDS[(row * step) % len(WORDS)] for step in range(1, 14))
        for turn in range(1 + row % 3):
            answer = ("", f"{text}  \r\n{row}\ud800", f"Write to x{row}@example.org. {text}")[(row + turn) % 3]
            extra = '{"prompt_name":123456789012345678901234567890}' if row % 5 == 0 else None
            turns.append((row, None, f"What is {row}?", None, answer, None, None, extra))
    return Page(heads, turns)


def test_several_processes_say_what_one_says() -> None:
    pages = [page(1, 100), page(101, 1), page(102, 60)]
    with computing(False, CleanWorker, SECTION, TASK) as one:
        expected = [(item, joined(parts)) for item, parts in one.map(pages, Page.slices)]
    with several(2, CleanWorker, SECTION, TASK) as two:
        assert [(item, joined(parts)) for item, parts in two.map(pages, Page.slices)] == expected
    assert sum(len(verdicts.rows) for _, verdicts in expected) == sum(not row[2] for p in pages for row in p.heads)
    assert {len(row) for _, verdicts in expected for row in verdicts.rows} == {len(ROW_COLUMNS)}
    assert {len(row) for _, verdicts in expected for row in verdicts.turns} == {len(TURN_COLUMNS)}
    assert any("123456789012345678901234567890" in (row[-1] or "") for _, v in expected for row in v.turns)


def test_slices_are_the_page() -> None:
    whole = page(1, 50)
    for number in (1, 3, 4, 80):
        parts = list(whole.slices(number))
        assert [head for part in parts for head in part.heads] == whole.heads
        assert [turn for part in parts for turn in part.turns] == whole.turns
        assert all({turn[0] for turn in part.turns} == {head[0] for head in part.heads} for part in parts)


def test_a_row_that_is_not_kept_has_no_fingerprint() -> None:
    section = CleanSection.model_validate({"rules": [{"length_bounds": {"max_characters": 10}}]})
    verdicts = CleanWorker(section, TASK)([(1, None, 0, None)], [(1, None, "x" * 50, None, "y" * 50, None, None, None)])
    (row,) = verdicts.rows
    assert dict(zip(ROW_COLUMNS, row, strict=True)) | {"state": "dropped", "fingerprint": None} == dict(
        zip(ROW_COLUMNS, row, strict=True)
    )
    assert verdicts.dropped == 1
