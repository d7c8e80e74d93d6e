"""A record comes back key for key in the format it came in. The formats are found through `FORMATS`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.formats import FORMATS, Format, by_name, export_line, mapped
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.model import TEXT_FIELDS
from corpus_pipeline_tests.formats.examples import EXAMPLES, TYPICAL, values

quick = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
every_format = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


def exactly(value: Any) -> str:
    """JSON text in which 1, 1.0 and true, null and missing, and the order of keys are all different."""
    return json.dumps(value)


def test_each_format_has_examples() -> None:
    assert {format.name for format in FORMATS} == set(EXAMPLES) == set(TYPICAL)


@every_format
@quick
@given(data=st.data())
def test_import_then_export_gives_the_same_record(format: Format, data: st.DataObject) -> None:
    record = data.draw(EXAMPLES[format.name])
    before = exactly(record)
    conversation = format.read(record)
    assert exactly(record) == before, "reading must not change the record"
    line = shapes.render_line(conversation)
    assert line is not None
    assert b"\n" not in line
    assert exactly(json.loads(line)) == before
    assert exactly(shapes.render(conversation)) == before


@every_format
@quick
@given(data=st.data())
def test_changed_texts_come_out_in_the_same_shape(format: Format, data: st.DataObject) -> None:
    conversation = format.read(data.draw(EXAMPLES[format.name]))
    turns = tuple(
        turn._replace(**{field: text.replace("a", "bb") + "!" for field, text in turn.texts()})
        for turn in conversation.turns
    )
    changed = conversation._replace(turns=turns)
    record = shapes.render(changed)
    assert record is not None
    again = format.read(record)
    assert [turn[: len(TEXT_FIELDS)] for turn in again.turns] == [turn[: len(TEXT_FIELDS)] for turn in turns]


@every_format
def test_typical_record_is_written_anew_like_it_was(format: Format) -> None:
    """`write` gives back a typical record also without the help of its shape."""
    record = TYPICAL[format.name]
    written = format.write(format.read(record))
    assert written.losses == ()
    assert format.read(written.record).turns == format.read(record).turns


@pytest.mark.parametrize(
    "columns",
    [{"prompt": "inquiry", "response": "reply"}, {"response": "body", "system": "rules"}, {"messages": "dialog"}],
    ids=str,
)
def test_mapped_columns_come_back(columns: dict[str, str]) -> None:
    format = mapped(columns)
    record: dict[str, Any] = {"id": 7, "inquiry": "q", "reply": "a", "body": "b", "rules": None, "x": {"y": [1.0]}}
    record["dialog"] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "k": 1}]
    assert exactly(shapes.render(format.read(record))) == exactly(record)


@given(values)
def test_unknown_values_come_back_whatever_they_are(value: Any) -> None:
    record = {"question": "q", "answer": "a", "extra": value}
    assert exactly(shapes.render(by_name("question_answer").read(record))) == exactly(record)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("question_answer", {"question": "a", "answer": "b"}, {"question": "c", "answer": ""}),
        (
            "alpaca",
            {"instruction": "a", "input": "x", "output": "b"},
            {"instruction": "c", "input": "y\nz", "output": "d"},
        ),
        (
            "openai_sft",
            {"messages": [{"role": "assistant", "content": "a", "weight": 1}]},
            {"messages": [{"role": "assistant", "content": "b", "weight": 0}]},
        ),
    ],
)
def test_records_of_one_kind_share_their_shape(name: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    assert by_name(name).read(first).shape == by_name(name).read(second).shape


def test_null_missing_and_empty_are_three_things() -> None:
    alpaca = by_name("alpaca")
    shapes_seen = set()
    for more in ({}, {"input": None}, {"input": ""}, {"input": "x"}):
        record = {"instruction": "i", "output": "o", **more}
        conversation = alpaca.read(record)
        shapes_seen.add(conversation.shape)
        assert shapes.render(conversation) == record
    assert len(shapes_seen) == 4


def test_line_is_utf8_without_escapes() -> None:
    line = shapes.render_line(by_name("question_answer").read({"question": "你好 👋", "answer": "é\u2028"}))
    assert line == '{"question":"你好 👋","answer":"é\u2028"}'.encode()


def test_dropped_turn_is_written_in_the_same_format_with_unknown_keys() -> None:
    sft = by_name("openai_sft")
    record = {
        "id": 2**70,
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "d", "weight": 0},
        ],
    }
    conversation = sft.read(record)
    shorter = conversation._replace(turns=conversation.turns[1:])
    assert shapes.render_line(shorter) is None
    line, losses = export_line(shorter, sft, sft)
    assert json.loads(line) == {"messages": record["messages"][2:], "id": 2**70}
    assert losses == ()


def test_added_reasoning_does_not_vanish_in_the_old_shape() -> None:
    alpaca = by_name("alpaca")
    conversation = alpaca.read({"instruction": "i", "input": "", "output": "o"})
    thoughtful = conversation._replace(turns=(conversation.turns[0]._replace(reasoning="because"),))
    line, losses = export_line(thoughtful, alpaca, alpaca)
    assert json.loads(line)["output"] == "<think>\nbecause\n</think>\n\no"
    assert losses == ()


def test_prompt_and_input_part_again_where_the_instruction_ends() -> None:
    alpaca = by_name("alpaca")
    conversation = alpaca.read({"instruction": "one\ntwo", "input": "three\nfour", "output": "o"})
    (turn,) = conversation.turns
    assert turn.prompt == "one\ntwo\nthree\nfour"
    changed = conversation._replace(turns=(turn._replace(prompt="ONE\nTWO\nTHREE\nFOUR"),))
    assert shapes.render(changed) == {"instruction": "ONE\nTWO", "input": "THREE\nFOUR", "output": "o"}
    merged = conversation._replace(turns=(turn._replace(prompt="all in one"),))
    line, losses = export_line(merged, alpaca, alpaca)
    assert json.loads(line) == {"instruction": "all in one", "input": "", "output": "o"}
    assert losses == ()
