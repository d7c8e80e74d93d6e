"""The ways in which the same calls can be asked: their money, their hours and their order."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm.prices import BATCH, ModelPrice, dollars
from corpus_pipeline.service.queries import cost_ways
from corpus_pipeline.service.queries.cost_ways import CACHED, CASCADE, FLEX, LIVE, Load, ways
from corpus_pipeline.service.records.calls import Way
from corpus_pipeline.store import audit_log
from corpus_pipeline_tests import small_corpus

STANDARD = dollars(2.0, 0.5, 8.0)
PLAIN = ModelPrice(STANDARD, {BATCH: STANDARD.times(0.5)})
WITH_FLEX = ModelPrice(STANDARD, {BATCH: STANDARD.times(0.5), FLEX: STANDARD.times(0.6)})


def load(price: ModelPrice = WITH_FLEX, **other: object) -> Load:
    base = Load(price, 1000, 1_000_000, 100_000, 0, 1, None, 2.0, False)
    return base._replace(**other)


def by_name(loads: list[Load], concurrency: int = 10, per_minute: int | None = None) -> dict[str, Way]:
    return {way["way"]: way for way in ways(loads, concurrency, per_minute)}


def test_money_is_tokens_times_prices_of_each_tier() -> None:
    found = by_name([load()])
    # a million tokens in at $2, a tenth of that out at $8
    assert found[LIVE]["cost_usd"] == pytest.approx(2.8)
    assert found[FLEX]["cost_usd"] == pytest.approx(1.68) and found[BATCH]["cost_usd"] == pytest.approx(1.4)


def test_what_calls_have_cost_so_far_counts_instead_of_tokens() -> None:
    found = by_name([load(measured=5.6e9)])
    assert found[LIVE]["cost_usd"] == pytest.approx(5.6) and found[BATCH]["cost_usd"] == pytest.approx(2.8)


def test_the_cheapest_comes_first_and_what_is_not_open_last() -> None:
    found = ways([load(), load(PLAIN)], 10, None)
    costs = [way["cost_usd"] for way in found]
    assert costs[-1] is None and found[-1]["way"] == FLEX and "not every model" in found[-1]["note"]
    assert costs[:-1] == sorted(costs[:-1])  # type: ignore[type-var]


def test_hours_are_those_of_the_calls_or_of_the_rate_whichever_is_more() -> None:
    assert by_name([load()])[LIVE]["hours"] == pytest.approx(1000 * 2.0 / 10 / 3600, abs=1e-3)
    assert by_name([load()], per_minute=10)[LIVE]["hours"] == pytest.approx(1000 / 10 / 60, abs=1e-3)
    assert by_name([load(steps=3)])[BATCH]["hours"] == 72, "each round of batches may take a day"
    assert by_name([load(seconds=None)])[LIVE]["hours"] == pytest.approx(1000 * 5 / 10 / 3600, abs=1e-3)


def test_a_cache_saves_from_1024_common_tokens_on() -> None:
    below, above = by_name([load(system_tokens=1023)]), by_name([load(system_tokens=1024)])
    assert below[CACHED]["cost_usd"] == below[LIVE]["cost_usd"] and "1,023 tokens in common" in below[CACHED]["note"]
    # 999 calls read 1,024 tokens at a quarter of their price
    assert above[LIVE]["cost_usd"] - above[CACHED]["cost_usd"] == pytest.approx(999 * 1024 * 1.5e-6, rel=0.01)  # type: ignore[operator]


def test_a_judge_that_decides_already_saves_nothing_more() -> None:
    found = by_name([load(has_judge=True)])
    assert found[CASCADE]["cost_usd"] == found[LIVE]["cost_usd"] and "decides already" in found[CASCADE]["note"]
    assert by_name([load()])[CASCADE]["cost_usd"] > by_name([load()])[LIVE]["cost_usd"] / 2  # type: ignore[operator]


def test_nothing_to_ask_costs_nothing_and_takes_no_time_live() -> None:
    found = by_name([])
    assert (found[LIVE]["cost_usd"], found[LIVE]["hours"], found[CACHED]["cost_usd"]) == (0, 0, 0)


@given(st.integers(0, 10**6), st.floats(0, 1e9), st.floats(0, 1e9), st.integers(0, 5000), st.integers(1, 4))
def test_no_way_costs_less_than_nothing_or_a_cache_more_than_none(
    calls: int, read: float, written: float, common: int, steps: int
) -> None:
    common = min(common, int(read / calls)) if calls else 0
    found = by_name([load(calls=calls, input_tokens=read, output_tokens=written, system_tokens=common, steps=steps)])
    assert all(way["cost_usd"] is None or way["cost_usd"] >= 0 for way in found.values())
    assert found[CACHED]["cost_usd"] <= found[LIVE]["cost_usd"]  # type: ignore[operator]
    assert common >= cost_ways.CACHED_FROM or found[CACHED]["cost_usd"] == found[LIVE]["cost_usd"]


def price_list(path: Path, **models: float) -> Path:
    listed = {
        name: {"input_cost_per_token": dollars / 1e6, "output_cost_per_token": 4 * dollars / 1e6, "mode": "chat"}
        for name, dollars in models.items()
    }
    path.write_text(json.dumps(listed))
    return path


def test_a_price_list_is_taken_over_as_of_its_day_with_a_line_in_the_audit_log(tmp_path: Path) -> None:
    with small_corpus.opened(tmp_path / "home") as corpus:
        first = corpus.acting_as("ina").update_prices(price_list(tmp_path / "one.json", ash=1, oak=2), date(2026, 3, 1))
        assert (first["models"], first["as_of"]) == (2, "2026-03-01")
        second = corpus.update_prices(price_list(tmp_path / "two.json", ash=1, oak=3, elm=4), date(2026, 4, 1))
        assert (second["models"], second["new"], second["changed"]) == (3, 1, 1)
        assert corpus.prices.as_of == date(2026, 4, 1)
        assert corpus.prices.models["oak"].standard == dollars(3.0, None, 12.0)
        entries = corpus.store.fetch(lambda c: audit_log.audit(c, action="prices"))
        assert [(entry.who, entry.subject) for entry in entries][:1] == [("ina", "one.json")] and len(entries) == 2


@pytest.mark.parametrize("text", ["", "[]", "{", '{"ash": 1}', "null"])
def test_what_is_no_price_list_changes_nothing(tmp_path: Path, text: str) -> None:
    with small_corpus.opened(tmp_path / "home") as corpus:
        before = corpus.prices
        (tmp_path / "none.json").write_text(text)
        with pytest.raises(UsageError, match="none"):
            corpus.update_prices(tmp_path / "none.json", date(2026, 4, 1))
        assert not corpus.settings.price_file.exists() and corpus.prices == before
