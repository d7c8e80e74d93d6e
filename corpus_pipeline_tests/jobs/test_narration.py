"""What a stage says of itself, and how often."""

from __future__ import annotations

import logging

import pytest

from corpus_pipeline.jobs.narration import LogNarrator, Progress, TroubleRhythm
from corpus_pipeline.states import Stage


def test_a_trouble_is_told_when_it_begins_every_half_minute_and_when_it_is_over() -> None:
    now = 0.0
    rhythm = TroubleRhythm(clock=lambda: now)
    told: list[tuple[float, str]] = []
    for second in range(101):
        now = float(second)
        troubles = ["e0: does not answer", "e1: no quota"] if 5 <= second < 80 else []
        said = rhythm.notice(troubles, in_progress=False)
        told += [] if said is None else [(now, said)]
    both = "e0: does not answer; e1: no quota"
    assert told == [(5, both), (35, both), (65, both), (80, "calls flow again")]


def test_a_line_of_progress_that_has_the_troubles_is_the_word_about_them() -> None:
    now = 0.0
    rhythm = TroubleRhythm(clock=lambda: now)
    told: list[float] = []
    for second in range(1, 121):
        now = float(second)
        if rhythm.notice(["e0: does not answer"], in_progress=second % 25 == 0) is not None:
            told.append(now)
    assert told == [1]  # and from then on the lines, every 25 s
    assert rhythm.notice([], in_progress=True) == "calls flow again"
    assert rhythm.notice([], in_progress=False) is None


def test_a_line_with_troubles_is_a_warning_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    LogNarrator().progress(Progress("rows", Stage.AUGMENT, 1, 2, 0.0, 0.0))
    LogNarrator().progress(Progress("rows", Stage.AUGMENT, 1, 2, 0.0, 0.0, troubles=("e0: no quota",)))
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert caplog.records[1].getMessage().endswith("; e0: no quota")
