"""Texts for eyes: comparisons, hidden characters, excerpts."""

from __future__ import annotations

import re
import threading
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from corpus_pipeline.web.diff import compared
from corpus_pipeline.web.progress_rate import Pace
from corpus_pipeline.web.rendering import (
    Piece,
    counted,
    difference,
    elsewhere,
    excerpt,
    plain,
    run_link,
    visible,
)
from corpus_pipeline.web.stale_cache import Kept

WORDS = st.lists(st.sampled_from(["old ", "new ", "水壶", "除垢", "tea.", "\n", "  ", "x"]), max_size=30).map("".join)


@given(WORDS, WORDS)
def test_a_difference_holds_both_texts(before, after):
    pieces = difference(before, after)
    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after
    assert all(p.text for p in pieces)


def test_words_are_compared_as_words_and_han_by_the_character():
    assert difference("a kettle of tea", "a teapot of tea") == [
        Piece("same", "a "),
        Piece("gone", "kettle"),
        Piece("new", "teapot"),
        Piece("same", " of tea"),
    ]
    assert difference("用柠檬酸浸泡", "用白醋酸浸泡")[1:3] == [Piece("gone", "柠檬"), Piece("new", "白醋")]


def test_long_texts_are_compared_in_bounded_time():
    before = " ".join(f"word{n}" for n in range(20_000))
    after = " ".join(f"other{n}" for n in range(20_000))
    assert [piece.kind for piece in difference(before, after)] == ["gone", "new"]


@given(st.text(max_size=60))
def test_what_is_shown_is_the_text_and_no_markup_of_it(text):
    shown = visible(text)
    assert isinstance(shown, Markup)
    assert set(re.findall(r"<[^>]*>", shown)) <= {
        "</span>",
        "<wbr>",
        *re.findall(r'<span class="ctl" title="[^"<>]*">', shown),
    }
    bare = unescape(re.sub(r"<span[^>]*>[^<]*</span>|<wbr>", "", shown))
    assert all(letter in text for letter in bare)


def test_hidden_characters_are_named_and_joiners_of_words_stay():
    assert ">RLO<" in visible("a\u202eb") and ">NUL<" in visible("\x00") and ">U+E0041<" in visible("\U000e0041")
    assert "ctl" not in visible("می\u200cخواهم 👩\u200d🔬\n\ttab")


def test_a_long_text_is_cut_and_says_so():
    assert "… 5 more" in visible("x" * 15, 10)


@pytest.mark.parametrize(
    ("text", "search", "wanted"),
    [
        ("The Kettle boils", "kettle", "The <mark>Kettle</mark> boils"),
        ("<b>tea</b>", "b>t", "&lt;<mark>b&gt;t</mark>ea&lt;/b&gt;"),
        ("烧水壶很好", "水壶", "烧<mark>水壶</mark>很好"),
        ("nothing here", "tea", "nothing here"),
        (None, None, ""),
    ],
)
def test_an_excerpt_marks_what_was_searched(text, search, wanted):
    assert excerpt(text, search) == wanted


def test_what_was_found_beyond_the_first_turn_is_shown_too():
    turns = [
        {"system": "Be brief.", "prompt": "Tea?", "response": "Yes."},
        {"prompt": "And  milk?", "response": "No Tea."},
    ]
    assert elsewhere(turns, "TEA") is None and elsewhere(turns, None) is None and elsewhere(turns, "coffee") is None
    assert elsewhere(turns, "and milk") == "And  milk?"
    assert elsewhere(turns, "brief") == "Be brief."


def test_an_excerpt_is_taken_around_what_was_found():
    shown = excerpt("a " * 500 + "needle" + " b" * 500, "needle", 100)
    assert "<mark>needle</mark>" in shown and shown.startswith("…") and shown.endswith("…") and len(shown) < 140


def test_a_message_that_cleaning_removed_is_still_shown_beside():
    raw = [{"prompt": "hi", "response": "yes", "weight": 0.0}, {"prompt": "and?", "extra": {"prompt_role": "tool"}}]
    left, right = compared([("raw", raw), ("cleaned", raw[:1])])
    assert [len(column.cells) for column in (left, right)] == [2, 1]
    assert left.cells[1].messages[0].role == "tool" and left.cells[0].weight == 0.0
    _, right = compared([("raw", raw), ("cleaned", [{"response": "yes"}])])
    assert right.cells[0].messages[0].pieces == [Piece("gone", "hi")]


def test_the_rate_is_that_of_the_last_minute():
    now = [0.0]
    pace = Pace(lambda: now[0])

    def look(processed: int, status: str = "running") -> tuple[float | None, float | None]:
        stage = {"status": status, "processed": processed, "total": 1000, "per_second": None, "eta_seconds": None}
        (file,) = pace.refined([{"name": "a", "stages": {"augment": stage}}])  # type: ignore[typeddict-item]
        found = file["stages"]["augment"]
        return found["per_second"], found["eta_seconds"]

    assert look(100) == (None, None)
    now[0] = 10.0
    assert look(150) == (5.0, 170.0)
    now[0] = 65.0  # the first look is too old to count
    assert look(260) == (2.0, 370.0)
    assert look(280, "done") == (None, None)
    assert look(5) == (None, None)  # started over


def test_json_is_told_without_its_brackets():
    assert plain({"ids": [1, 2], "why": None, "sure": True, "of": {"stage": "clean"}}) == (
        "ids 1, 2, why –, sure yes, of stage clean"
    )
    assert (counted(1, "sample"), counted(1200, "sample")) == ("1 sample", "1,200 samples")


def test_what_takes_long_to_count_is_counted_rarely():
    now, key = [0.0], ("statistics", "a")

    def slowly() -> dict[str, object]:
        now[0] += 3
        return {"rows": now[0]}

    def never() -> dict[str, object]:
        raise AssertionError

    kept = Kept(lambda: now[0], wait=60)
    assert kept.get(key, "one", slowly, never) == ({"rows": 3}, None, False) == kept.get(key, "one", slowly, never)
    late = kept.get(key, "two", slowly, never)
    assert late.data["rows"] == 3 and late.counted_at is not None and late.counted_at > 0
    now[0] += 60
    assert kept.get(key, "two", slowly, never) == ({"rows": 66}, None, False)


def test_while_it_is_counted_for_the_first_time_an_estimate_is_shown():
    key, may_end = ("statistics", "a"), threading.Event()

    def slowly() -> dict[str, object]:
        assert may_end.wait(60)
        return {"rows": 5}

    def roughly() -> dict[str, object]:
        return {"rows": 4}

    kept = Kept(wait=0.01)
    assert kept.get(key, "one", slowly, roughly) == ({"rows": 4}, None, True)
    assert Kept(wait=60).get(key, "one", slowly, roughly, takes_long=True).data["rows"] == 4  # without any wait
    may_end.set()
    deadline = time.monotonic() + 60
    while (found := kept.get(key, "two", slowly, roughly)).counting:
        assert time.monotonic() < deadline
    assert (
        found.data["rows"] == 5 and found.counted_at is not None and found.counted_at > 0
    )  # what was counted is of the state that it was asked for

    def fails() -> dict[str, object]:
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        Kept(wait=60).get(key, "one", fails, roughly)


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "http://dagster.example.org/"])
def test_a_run_is_a_link_where_dagster_can_be_reached(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("CORPUS_DAGSTER_URL", address)
    found = str(run_link('ab"><script>'))
    assert "<script>" not in found
    assert ('href="http://dagster.example.org/runs/ab%22%3E%3Cscript%3E"' in found) == address.startswith("http")
    assert "javascript" not in found


def test_a_difference_at_every_second_token_is_found_without_minutes() -> None:
    """What cleaning makes of control characters between words. difflib is cubic in it: hours at this size."""
    before, after = "\x00 x" * 5_000, " x" * 5_000
    pieces = difference(before, after)
    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after
