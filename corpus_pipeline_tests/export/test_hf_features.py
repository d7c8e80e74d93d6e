from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.export import hf_features
from corpus_pipeline.stages.export.hf_features import infer, infer_file
from corpus_pipeline_tests.export.making import chat, rows, spooled


def columns(*records):
    return infer(rows(records)).columns


def test_a_chat_is_a_list_of_records_while_all_messages_have_the_same_keys():
    message = [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]
    assert columns(chat("a", "b"), chat("c")) == [{"name": "messages", "list": message}]


def test_messages_with_different_keys_are_json():
    call = {"role": "assistant", "content": None, "tool_calls": []}
    assert columns(chat("a"), {"messages": [call]}) == [{"name": "messages", "list": "json"}]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None], "string"),
        ([1, None], "int64"),
        ([1, 2.5], "float64"),
        ([True], "bool"),
        ([None], "null"),
        ([1, "a"], "json"),
        ([True, 1], "json"),
        ([1 << 63], "json"),
        ([{}], "json"),
        ([{"a": 1}, {"b": 1}], "json"),
        (["2024-01-01", "2024-01-02 10:00"], "json"),
        (["2024-01-01", "no date"], "string"),
    ],
)
def test_the_type_of_a_column(values, kind):
    assert columns(*({"x": value} for value in values)) == [{"name": "x", "dtype": kind}]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1 << 64], "numbers beyond 64 bits"),
        ([{"deep": [-(1 << 63) - 1]}], "numbers beyond 64 bits"),
        ([jsontext.NumberText("1e400")], "numbers beyond 64 bits"),
        ([jsontext.NumberText("9" * 5000)], "numbers beyond 64 bits"),
        (["0", 1], "texts that are themselves JSON, under 'x'"),
        ([[], " {} "], "texts that are themselves JSON, under 'x'"),
        (["2024-01-01", "2024"], ""),
        ([0.12345678901], ""),
        ([0.12345678901, "a"], "fractions of more than 10 decimals"),
        ([1e20, 1 << 62, 0.5, "a"], ""),
        (["five", 5], ""),
        ([["5"], ["5", 5]], ""),
        ([{"content": "5"}, {"content": [5]}], ""),
    ],
)
def test_what_the_loader_would_change_is_said(values, why):
    found = infer(rows([{"x": value} for value in values]))
    assert found.unloadable == why
    if why:
        assert not found.guessable


def test_texts_that_are_json_are_declared_as_part_of_what_is_around_them():
    message = [{"role": "assistant", "content": "[1, 2]"}, {"role": "user", "content": ["a"]}]
    assert columns({"messages": message}) == [{"name": "messages", "list": "json"}]
    assert columns({"meta": {"n": "5"}}, {"meta": {"n": 5}}) == [{"name": "meta", "dtype": "json"}]
    assert columns({"tags": ["5", 5]}) == [{"name": "tags", "dtype": "json"}]
    many = [{"a": "x", "b": "y"}] * 5
    assert infer(rows([*many, {"a": "5", "b": "z"}, {"a": 5, "b": "z"}])).unloadable.endswith("under 'a'")


def test_columns_that_the_loader_takes_for_the_trace_of_an_agent_cannot_be_guessed():
    chatty = {"id": "1", "source": "s", "model": "m", "system_prompt": "p", **chat("a")}
    assert not infer(rows([chatty])).guessable
    assert infer(rows([{key: value for key, value in chatty.items() if key != "model"}])).guessable


def test_nested_lists_and_records():
    assert columns({"history": [["q", "a"]]}, {"history": []}) == [{"name": "history", "list": {"list": "string"}}]
    nested = [{"name": "meta", "struct": [{"name": "id", "dtype": "int64"}]}]
    assert columns({"meta": {"id": 1}}, {"meta": {"id": None}}, {"meta": None}) == nested


def test_a_mapping_with_ever_new_keys_is_json_and_takes_bounded_memory():
    found = infer(rows({"scores": {f"key-{n}": n for n in range(start, start + 3)}} for start in range(0, 3000, 3)))
    assert found.columns == [{"name": "scores", "dtype": "json"}]


def test_what_comes_late_cannot_be_guessed(monkeypatch):
    monkeypatch.setattr(hf_features, "WINDOW", 1000)
    early = rows([chat("a" * 50, "b")] * 40)
    assert infer(early).guessable
    assert not infer([*early, *rows([chat("a", note="x")])]).guessable
    assert not infer([*early, *rows([{"messages": [{"role": "user", "content": "a", "name": "b"}]}])]).guessable
    assert infer([*rows([chat("a", note="x")]), *early]).guessable


def test_a_stretch_of_dates_cannot_be_guessed(monkeypatch):
    monkeypatch.setattr(hf_features, "WINDOW", 1000)
    texts, dates = rows([{"answer": "some text"}] * 100), rows([{"answer": "2024-01-01"}] * 100)
    found = infer([*texts, *dates, *texts])
    assert found.columns == [{"name": "answer", "dtype": "json"}] and not found.guessable


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 60), 1 << 60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), json_values), min_size=1, max_size=5))
def test_any_json_has_features_and_every_key_of_every_row_is_declared(records):
    found = infer(rows(records)).columns
    assert {column["name"] for column in found} == {key for record in records for key in record}
    json.dumps(found)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_file_is_read_line_by_line_on_line_feeds_only(tmp_path, compression):
    lines = rows([{"a": "x\u2028y\x85z"}, {"a": "w"}])
    found = infer_file(spooled(tmp_path, lines, compression=compression).path, compression)
    assert found.columns == [{"name": "a", "dtype": "string"}]
