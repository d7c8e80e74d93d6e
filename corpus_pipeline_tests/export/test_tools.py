"""Exports as the tools that they are named after read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.formats import Format, NotExportable, by_name, export_line
from corpus_pipeline.stages.export.llama_factory import Reader
from corpus_pipeline_tests.export import readers
from corpus_pipeline_tests.formats.examples import EXAMPLES, TYPICAL

LLAMA_FACTORY = (
    "alpaca", "alpaca_preference", "alpaca_kto", "sharegpt", "sharegpt_preference", "sharegpt_kto", "llama_factory_openai",
    "question_answer", "prompt_response", "query_response", "instruction_response", "trl_preference", "trl_label",
    "trl_prompt_completion",
)  # fmt: skip
TRL = (
    "trl_messages", "trl_prompt", "trl_prompt_chat", "trl_prompt_completion", "trl_prompt_completion_chat", "trl_label",
    "trl_label_chat", "trl_preference", "trl_preference_chat", "trl_implicit_preference", "trl_implicit_preference_chat",
    "trl_grpo", "trl_grpo_chat", "text",
)  # fmt: skip
quick = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def drawn(data: st.DataObject, target: Format) -> dict[str, Any] | None:
    """Some record in the target format, from a record of any format; None when it cannot be written."""
    source = by_name(data.draw(st.sampled_from(sorted(EXAMPLES))))
    record = data.draw(EXAMPLES[source.name])
    try:
        line, _ = export_line(source.read(record), source, target, checked=True)
    except NotExportable:
        return None
    return dict(json.loads(line))


@pytest.mark.parametrize("name", LLAMA_FACTORY)
@quick
@given(data=st.data())
def test_llama_factory_reads_every_row_under_the_entry_that_it_gets(name: str, data: st.DataObject) -> None:
    record = drawn(data, by_name(name))
    if record is None:
        return
    reader = Reader(by_name(name))
    reader.take(record)
    entry, why = reader.entry(list(record))
    assert (entry is None) is (why is not None)
    if entry is not None:
        readers.llama_factory(entry, record)


@pytest.mark.parametrize("name", LLAMA_FACTORY)
def test_llama_factory_gets_an_entry_for_a_typical_row(name: str) -> None:
    reader = Reader(by_name(name))
    reader.take(TYPICAL[name])
    entry, why = reader.entry(list(TYPICAL[name]))
    assert entry is not None, why
    prompt, response = readers.llama_factory(entry, dict(TYPICAL[name]))
    assert prompt and response


@pytest.mark.parametrize("name", ["openai_sft", "openai_dpo"])
@quick
@given(data=st.data())
def test_openai_takes_every_row(name: str, data: st.DataObject) -> None:
    record = drawn(data, by_name(name))
    if record is not None:
        readers.openai_fine_tuning(record)


@pytest.mark.parametrize("name", TRL)
@quick
@given(data=st.data())
def test_trl_finds_the_type_that_the_format_is_named_after(name: str, data: st.DataObject) -> None:
    record = drawn(data, by_name(name))
    if record is not None:
        kind, conversational = readers.trl({key: record[key] for key in by_name(name).keys if key in record})
        assert conversational is (name.endswith("_chat") or name == "trl_messages")
        assert kind == readers.trl(TYPICAL[name])[0]


@quick
@given(data=st.data())
def test_axolotl_and_ms_swift_take_what_is_written_for_them(data: st.DataObject) -> None:
    for name, read in (
        ("axolotl", readers.axolotl),
        ("openai_sft", readers.ms_swift),
        ("query_response", readers.ms_swift),
        ("swift_grpo", readers.ms_swift),
        ("trl_grpo", readers.ms_swift),
    ):
        record = drawn(data, by_name(name))
        if record is not None and not any("developer" in str(m) for m in record.get("messages", ())):
            read(record)


def test_calls_of_an_answer_that_lost_are_not_left_as_text_for_trl() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    asked, won = {"role": "user", "content": "q"}, {"role": "assistant", "content": "yes"}
    lost = [{"role": "assistant", "tool_calls": [call], "content": ""}, {"role": "assistant", "content": "no"}]
    record = {"chosen": [asked, won], "rejected": [asked, *lost]}
    target = by_name("trl_implicit_preference_chat")
    with pytest.raises(NotExportable):
        export_line(target.read(record), target, target, checked=True)


def test_unsloth_standardizes_plain_chats() -> None:
    for name in ("sharegpt", "trl_messages"):
        source = by_name("openai_sft")
        record = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        line, _ = export_line(source.read(record), source, by_name(name), checked=True)
        assert readers.unsloth(json.loads(line)) == record["messages"]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([{"role": "user", "content": "q"}, {"role": "tool", "content": "r", "tool_call_id": "c"}], "tool_messages"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": None}], "no_answer"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}], "no_weight"),
    ],
)
def test_what_openai_refuses_is_told_when_the_recipe_names_it_and_goes_out_as_it_came_otherwise(
    messages: list[dict[str, Any]], reason: str
) -> None:
    sft = by_name("openai_sft")
    record = {"messages": [*messages, *([] if "weight" in messages[-1] else [{"role": "assistant", "content": "a"}])]}
    conversation = sft.read(record)
    assert json.loads(export_line(conversation, sft, sft)[0]) == record
    with pytest.raises(NotExportable) as caught:
        export_line(conversation, sft, sft, checked=True)
    assert caught.value.reason == reason


def test_neighbours_of_one_role_are_joined_and_said_to_be() -> None:
    source, record = by_name("openai_sft"), {"messages": [{"role": "user", "content": c} for c in "ab"]}
    record["messages"].append({"role": "assistant", "content": "c"})
    line, losses = export_line(source.read(record), source, by_name("sharegpt"))
    assert json.loads(line)["conversations"] == [{"from": "human", "value": "a\n\nb"}, {"from": "gpt", "value": "c"}]
    assert losses == ("message_breaks",)


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_pictures_and_sounds_stay_in_their_format_or_the_row_is_not_exportable(kind: str) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": kind, kind: {"url": "a"}}]
    record = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "A."}]}
    source = by_name("openai_sft")
    conversation = source.read(record)
    assert json.loads(export_line(conversation, source, source, checked=True)[0]) == record
    for name in ("sharegpt", "alpaca", "trl_messages", "axolotl", "question_answer"):
        with pytest.raises(NotExportable, match="media"):
            export_line(conversation, source, by_name(name))


def test_picture_columns_follow_to_tools_that_read_them() -> None:
    record = {"instruction": "<image>What?", "input": "", "output": "A cat.", "images": ["cat.png"]}
    source = by_name("alpaca")
    conversation = source.read(record)
    for name in ("sharegpt", "llama_factory_openai", "query_response"):
        line, _ = export_line(conversation, source, by_name(name))
        reader = Reader(by_name(name))
        reader.take(json.loads(line))
        entry, _ = reader.entry(list(json.loads(line)))
        assert entry is not None and entry["columns"]["images"] == "images"
    for name in ("openai_sft", "question_answer", "text", "trl_prompt_completion"):
        with pytest.raises(NotExportable, match=r"media|has_a_prompt"):
            export_line(conversation, source, by_name(name))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("human", "gpt"), ("user", "gpt")], "same tag"),
        ([("human", "gpt"), ("gpt", "human")], "1 of 2 rows would be skipped"),
        ([("human",)], "last message is not an answer"),
    ],
)
def test_no_entry_is_given_that_would_skip_rows(rows: list[tuple[str, ...]], why: str) -> None:
    reader = Reader(by_name("sharegpt"))
    for roles in rows:
        reader.take({"conversations": [{"from": role, "value": "x"} for role in roles]})
    entry, said = reader.entry(["conversations"])
    assert entry is None and said is not None and why in said


@pytest.mark.parametrize(
    "record", [{"messages": "x"}, {"conversations": [1]}, {"messages": []}, {"messages": [{"role": 1}]}]
)
def test_the_reader_takes_whatever_there_is(record: dict[str, Any]) -> None:
    reader = Reader(by_name("openai_sft"))
    reader.take(record)
    reader.entry(list(record))


def test_the_deprecated_form_of_calls_is_not_written_for_openai() -> None:
    call = {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}}
    record = {"messages": [{"role": "user", "content": "Where?"}, call]}
    target = by_name("openai_sft")
    line, _ = export_line(target.read(record), target, target, checked=True)
    (made,) = json.loads(line)["messages"][1]["tool_calls"]
    assert made["function"] == call["function_call"]
    readers.openai_fine_tuning(json.loads(line))
