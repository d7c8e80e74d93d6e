"""Amounts as people read them: the same text on every surface, and never one that misleads."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline import units

_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def test_the_examples_of_the_module_hold() -> None:
    found = doctest.testmod(units)
    assert found.attempted >= 6 and not found.failed


def test_numbers_are_short() -> None:
    dollars = [units.money(x) for x in (None, 0, 1234.5, 0.0123, 0.00001, -0.5)]
    assert dollars == ["$0", "$0", "$1,234.50", "$0.0123", "$0.000010", "-$0.5000"]
    assert [units.rate(x) for x in (None, 250.0, 2.5, 0.1, 0.001)] == ["", "250/s", "2.5/s", "6.0/min", "3.6/h"]
    spans = [units.span(x) for x in (None, 0, 0.25, 59, 61, 120, 7322, 400_000)]
    assert spans == ["–", "0 s", "250 ms", "59 s", "1 min 1 s", "2 min", "2 h 2 min", "4 d 15 h"]
    assert [units.size(x) for x in (None, 5, 1536, 5 << 20)] == ["–", "5 B", "1.5 KiB", "5.0 MiB"]


@given(st.floats(0.01, 10**7))
def test_a_span_reads_back_within_its_smaller_unit(seconds: float) -> None:
    said = re.findall(r"([\d.]+) (ms|s|min|h|d)\b", units.span(seconds))
    read = sum(float(count) * _SECONDS[unit] for count, unit in said)
    smallest = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}[said[-1][1]]
    below = {"min": 1, "h": 60, "d": 3600}.get(said[-1][1], smallest) if len(said) == 1 else smallest
    assert abs(read - seconds) <= below
    assert len(said) <= 2 and "60 s" not in units.span(seconds) and "60 min" not in units.span(seconds)


@given(st.integers(1, 10**15))
def test_a_size_reads_back_within_a_twentieth(count: int) -> None:
    amount, unit = units.size(count).replace(",", "").split(" ")
    assert abs(float(amount) * _BYTES[unit] - count) <= count / 20


@given(st.floats(0.000001, 10**6))
def test_money_is_never_shown_as_nothing(dollars: float) -> None:
    said = float(units.money(dollars).replace("$", "").replace(",", ""))
    assert said > 0 and abs(said - dollars) <= max(0.0000005, dollars / 100)


@pytest.mark.parametrize("milliseconds", [0, 1_700_000_000_123])
def test_moments_are_in_utc_whatever_the_zone(milliseconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said = units.moment(milliseconds)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert units.moment(milliseconds) == said and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", said)
