"""Across formats: what a format says a row loses is what is missing when its record is read again, no more and no less."""

from __future__ import annotations

import importlib.util
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.formats import FORMATS, Format, Loss, NotExportable, by_name, export_line, look_at
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.base import with_thinking
from corpus_pipeline.formats.media_parts import leaves_parts
from corpus_pipeline.formats.messages import ANSWER_SIDE, SYSTEM_SIDE, Message, joined, side_of, unpack
from corpus_pipeline.model import Conversation
from corpus_pipeline_tests.formats.examples import EXAMPLES, TYPICAL

every_target = pytest.mark.parametrize("target", FORMATS, ids=lambda format: format.name)
quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@every_target
@quick
@given(data=st.data())
def test_declared_losses_are_the_observed_ones(target: Format, data: st.DataObject) -> None:
    source = by_name(data.draw(st.sampled_from(sorted(EXAMPLES))))
    before = source.read(data.draw(EXAMPLES[source.name]))
    try:
        written = target.write(before)
    except NotExportable as error:
        assert error.reason
        return
    after = target.read(written.record)
    assert set(written.losses) == observed(before, after, written.record)
    assert set(written.losses) <= target.loses
    assert list(written.losses) == sorted(written.losses)


@every_target
def test_some_typical_record_can_be_written(target: Format) -> None:
    """The property above would hold of a format that refuses everything."""
    done = 0
    for name, record in TYPICAL.items():
        try:
            target.write(by_name(name).read(record))
        except NotExportable:
            continue
        done += 1
    assert done >= 1


SCRIPT = Path(__file__).parents[2] / "scripts" / "formats.py"


def page() -> Any:
    """The script that writes docs/formats.md, with its kinds and shapes of rows."""
    spec = importlib.util.spec_from_file_location("formats_page", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its named tuples look for it
    spec.loader.exec_module(module)
    return module


def cells() -> dict[tuple[str, str], str]:
    """(name of a kind or a shape, format) -> what docs/formats.md says of it."""
    found: dict[tuple[str, str], str] = {}
    head: list[str] = []
    for line in (SCRIPT.parents[1] / "docs" / "formats.md").read_text(encoding="utf-8").splitlines():
        row = [cell.strip() for cell in line.split("|")[1:-1]] if line.startswith("| ") else []
        if row and row[0] in ("format", "shape"):
            head = row
        elif row and head and head[0] == "format":
            found |= {(name, row[0].strip("`")): said for name, said in zip(head[1:], row[1:], strict=True)}
        elif row and head and head[0] == "shape":
            found |= {(row[0], name.strip("`")): said for name, said in zip(head[2:], row[2:], strict=True)}
        elif not line.startswith("|"):
            head = []
    return found


def test_every_cell_of_the_matrix_is_what_a_row_of_that_kind_shows_when_it_is_read_again() -> None:
    """Not what the code declares: what is missing in the record, as the target format reads it."""
    script, said = page(), cells()
    rows = [(kind.name, by_name(kind.source), kind.record, FORMATS) for kind in script.KINDS]
    shapes_of = tuple(by_name(name) for name in script._SHAPE_TARGETS)
    rows += [(name, look_at([record]).best.format, record, shapes_of) for name, record in script.SHAPES]  # type: ignore[union-attr]
    seen = 0
    for name, source, record, targets in rows:
        before = source.read(record)
        for target in targets:
            cell = said.pop((name, target.name))
            seen += 1
            try:
                line, losses = export_line(before, source, target, checked=True)
            except NotExportable as error:
                assert cell == f"**{error.reason}**", (name, target.name)
                continue
            assert cell == (f"*{', '.join(losses)}*" if losses else "kept"), (name, target.name)
            written = json.loads(line)
            after = target.read(written)
            if (name, target.name) == ("verl", "trl_grpo_chat"):  # what the reward compares with is its solution
                assert (losses, written["solution"]) == ((), record["reward_model"]["ground_truth"])
            elif source is target and target.fits_as_it_is(before):
                assert written == record, (name, target.name)
            else:
                assert observed(before, after, written) == set(losses), (name, target.name)
    assert not said and seen > 600


def observed(before: Conversation, after: Conversation, record: dict[str, Any]) -> set[str]:
    """What of `before` is missing in `after`."""
    found: set[str] = set(shapes.carried(before.shape).kept)
    if shapes.count_media(before.shape) and shapes.count_media(after.shape) == shapes.count_media(before.shape):
        found -= set() if leaves_parts(before) else {Loss.PARTS}
    old, new = unpack(before.turns), unpack(after.turns)
    if old[-1].role == "tool" and new[-1].role != "tool":
        found.add(Loss.TRAILING_TOOL)
        while old[-1].role == "tool":
            old.pop()
    if side_of(old[0].role) == SYSTEM_SIDE and side_of(new[0].role) != SYSTEM_SIDE:
        found.add(Loss.SYSTEM)
        while side_of(old[0].role) == SYSTEM_SIDE:
            old.pop(0)
    if side_of(old[-1].role) == ANSWER_SIDE and side_of(new[-1].role) != ANSWER_SIDE:
        found.add(Loss.ANSWER)
        while side_of(old[-1].role) == ANSWER_SIDE:
            if old.pop().rejected is not None:
                found.add(Loss.REJECTED)
    if len(old) != len(new):
        old, _ = joined(old)
        found.add(Loss.BREAKS)
    assert len(old) == len(new)
    for one, other in zip(old, new, strict=True):
        found |= missing_in_message(one, other)
    old_extra, new_extra = (c.turns[-1].extra or {} for c in (before, after))
    if old_extra.get("label") != new_extra.get("label"):
        found.add(Loss.LABEL)
    if "rejected_messages" in old_extra:
        found.add(Loss.REJECTED)
    if before.tools is not None and tool_list(before.tools) != tool_list(after.tools or "null"):
        found.add(Loss.TOOLS)
    carried = shapes.carried(before.shape).extra
    if any(key not in record or json.dumps(record[key]) != json.dumps(value) for key, value in carried.items()):
        found.add(Loss.TOP_KEYS)
    return found


def missing_in_message(old: Message, new: Message) -> set[str]:
    found: set[str] = set()
    checks = [
        (Loss.ROLES, old.role != new.role),
        (Loss.NAMES, old.name is not None and old.name != new.name),
        (Loss.CALL_IDS, old.tool_call_id is not None and old.tool_call_id != new.tool_call_id),
        (Loss.WEIGHTS, (1 if old.weight is None else old.weight) != (1 if new.weight is None else new.weight)),
        (Loss.REFUSAL, old.refusal is not None and old.refusal != new.refusal),
        (Loss.REJECTED, old.rejected is not None and old.rejected != new.rejected),
    ]
    found |= {loss for loss, lost in checks if lost}
    text = old.text or ""
    if old.reasoning is not None and old.reasoning != new.reasoning:
        if new.text == with_thinking(old.reasoning, text):
            text = new.text
        else:
            found.add(Loss.REASONING)
    if text != (new.text or ""):
        assert old.tool_calls
        found.add(Loss.CALL_TEXT)
    assert [call_meaning(call) for call in old.tool_calls or ()] == [
        call_meaning(call) for call in new.tool_calls or ()
    ]
    for call, kept in zip(old.tool_calls or (), new.tool_calls or (), strict=True):
        if "id" in call and call["id"] != kept.get("id"):
            found.add(Loss.CALL_IDS)
    return found


def call_meaning(call: dict[str, Any]) -> tuple[str, str]:
    function = call.get("function", call)
    arguments = function["arguments"]
    if isinstance(arguments, str):
        with suppress(ValueError):
            arguments = json.loads(arguments)
    return function["name"], json.dumps(arguments)


def tool_list(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, list):
        return text
    named = [{_TOOL_KEYS.get(key, key): value for key, value in tool.get("function", tool).items()} for tool in found]
    return json.dumps(named)


_TOOL_KEYS = {"input_schema": "parameters"}  # Anthropic's word


def read(name: str, record: dict[str, Any]) -> Conversation:
    return by_name(name).read(record)


CALLING = {
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "2+3?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "5"},
        {"role": "assistant", "content": "5", "weight": 0},
    ],
    "tools": [{"type": "function", "function": {"name": "add", "parameters": {}}}],
    "id": 7,
}


def test_calls_go_to_llama_factory_as_its_readers_want_them() -> None:
    record, losses = by_name("llama_factory_openai").write(read("openai_sft", CALLING))
    assert losses == ("call_text", "roles", "weights")
    call = record["messages"][2]
    assert call["content"] == ""
    assert call["tool_calls"][0]["function"]["arguments"] == {"a": 2, "b": 3}
    assert json.loads(record["tools"])[0]["function"]["name"] == "add"
    assert record["id"] == 7
    record, losses = by_name("sharegpt").write(read("openai_sft", CALLING))
    assert losses == ("call_ids", "call_text", "roles", "weights")
    assert record == {
        "system": "Be brief.",
        "conversations": [
            {"from": "human", "value": "2+3?"},
            {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 2, "b": 3}}'},
            {"from": "observation", "value": "5"},
            {"from": "gpt", "value": "5"},
        ],
        "tools": '[{"name":"add","parameters":{}}]',
        "id": 7,
    }


def test_calls_come_from_sharegpt_to_openai_with_ids() -> None:
    sharegpt = by_name("sharegpt").write(read("openai_sft", CALLING)).record
    record, losses = by_name("openai_sft").write(read("sharegpt", sharegpt))
    assert losses == ()
    call, result = record["messages"][2:4]
    assert json.loads(call["tool_calls"][0]["function"]["arguments"]) == {"a": 2, "b": 3}
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert record["tools"] == CALLING["tools"]


def test_reasoning_is_thought_aloud_where_there_is_no_field_for_it() -> None:
    conversation = read("reasoning_content", TYPICAL["reasoning_content"])
    assert by_name("alpaca").write(conversation).record["output"] == "<think>\n2 and 3\n</think>\n\n5"
    assert by_name("axolotl").write(conversation).record["messages"][1]["reasoning_content"] == "2 and 3"
    assert by_name("openai_sft").write(conversation).losses == ("reasoning",)


@pytest.mark.parametrize(
    ("target", "messages", "reason"),
    [
        ("sharegpt", ["assistant", "user", "assistant"], "turn_order"),
        ("sharegpt", ["user", "assistant", "user"], "turn_order"),
        ("sharegpt", ["user", "assistant", "system", "user", "assistant"], "system_in_the_middle"),
        ("llama_factory_openai", ["assistant"], "turn_order"),
        ("openai_sft", ["user"], "no_answer"),
        ("question_answer", ["user", "assistant", "user", "assistant"], "several_turns"),
        ("text", ["user", "assistant"], "has_a_prompt"),
        ("trl_preference", ["user", "assistant"], "no_preference"),
        ("alpaca_kto", ["user", "assistant"], "no_label"),
        ("trl_prompt_completion_chat", ["assistant"], "no_prompt"),
    ],
)
def test_rows_that_the_target_would_skip_are_not_exportable(target: str, messages: list[str], reason: str) -> None:
    record = {"messages": [{"role": role, "content": "x"} for role in messages]}
    with pytest.raises(NotExportable) as caught:
        by_name(target).write(read("openai_sft", record))
    assert caught.value.reason == reason


def test_calls_with_broken_arguments_are_not_exportable_as_objects() -> None:
    record = json.loads(json.dumps(CALLING))
    record["messages"][2]["tool_calls"][0]["function"]["arguments"] = "{broken"
    for target in ("trl_messages", "sharegpt", "llama_factory_openai", "content_parts"):
        with pytest.raises(NotExportable, match="broken_arguments"):
            by_name(target).write(read("openai_sft", record))


def test_unknown_keys_follow_the_row_and_yield_to_the_targets_own() -> None:
    conversation = read(
        "question_answer", {"question": "q", "answer": "a", "meta": {"k": [1.0, 2**70]}, "text": "mine"}
    )
    line, losses = export_line(conversation, by_name("question_answer"), by_name("openai_sft"))
    assert json.loads(line)["meta"] == {"k": [1.0, 2**70]}
    assert losses == ()
    spoken = conversation._replace(turns=(conversation.turns[0]._replace(prompt=None),))
    record, losses = by_name("text").write(spoken)
    assert record == {"text": "a", "meta": {"k": [1.0, 2**70]}}
    assert losses == ("top_keys",)


def test_llama_factory_entries_name_only_columns_that_are_there() -> None:
    alpaca = by_name("alpaca")
    assert alpaca.llama_factory_entry("a.jsonl") == {
        "file_name": "a.jsonl",
        "formatting": "alpaca",
        "columns": {"prompt": "instruction", "response": "output"},
    }
    entry = alpaca.llama_factory_entry("a.jsonl", {"instruction", "input", "output", "system"})
    assert entry is not None
    assert entry["columns"] == {
        "prompt": "instruction", "query": "input", "response": "output", "system": "system"
    }  # fmt: skip
    preference = by_name("sharegpt_preference").llama_factory_entry("p.jsonl", {"tools"})
    assert preference is not None
    assert preference["ranking"] is True
    assert set(preference["columns"]) == {"messages", "chosen", "rejected", "tools"}
    kto = by_name("sharegpt_kto").llama_factory_entry("k.jsonl")
    assert kto is not None
    assert kto["columns"]["kto_tag"] == "kto_tag"
    assert by_name("openai_dpo").llama_factory_entry("o.jsonl") is None


@every_target
def test_each_format_is_described(target: Format) -> None:
    assert target.description
    assert target.keys
    assert target.loses <= set(Loss)


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        ({"name": "f", "input_schema": {"type": "object"}}, {"name": "f", "parameters": {"type": "object"}}),
        (
            {
                "name": "f",
                "parameters": {"n": {"type": "int"}, "s": {"type": "str, optional"}, "x": {"type": "List[str]"}},
            },
            {
                "name": "f",
                "parameters": {
                    "type": "object",
                    "properties": {"n": {"type": "integer"}, "s": {"type": "string"}, "x": {"type": "array"}},
                    "required": ["n", "x"],
                },
            },
        ),
        (
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "parameters": {"type": "dict", "properties": {"type": {"type": "float"}, "a": {"type": "any"}}},
                    "required": ["a"],
                },
            },
            {
                "name": "f",
                "parameters": {
                    "type": "object",
                    "properties": {"type": {"type": "number"}, "a": {}},
                    "required": ["a"],
                },
            },
        ),
        (
            {"functionDeclarations": [{"name": "f", "parameters": {"type": "object"}}]},
            {"name": "f", "parameters": {"type": "object"}},
        ),
    ],
)
def test_tools_of_any_notation_are_written_as_json_schema(tool: dict[str, Any], wanted: dict[str, Any]) -> None:
    conversation = read("trl_messages", TYPICAL["trl_messages"])._replace(tools=json.dumps([tool]))
    record, _ = by_name("openai_sft").write(conversation)
    assert record["tools"] == [{"type": "function", "function": wanted}]
    record, _ = by_name("sharegpt").write(conversation)
    assert json.loads(record["tools"]) == [wanted]


def test_empty_list_of_tools_is_no_loss() -> None:
    sharegpt = by_name("sharegpt")
    conversation = sharegpt.read({**TYPICAL["sharegpt"], "tools": "[]"})
    assert by_name("openai_sft").write(conversation).losses == ()


def test_pictures_under_keys_need_a_tool_that_reads_them_also_in_the_same_format() -> None:
    sft = by_name("openai_sft")
    conversation = sft.read({**TYPICAL["openai_sft"], "images": ["1.png"]})
    with pytest.raises(NotExportable, match="media"):
        export_line(conversation, sft, sft, checked=True)
    assert export_line(conversation, sft, sft)[1] == ()
    entry = json.loads(export_line(conversation, sft, by_name("llama_factory_openai"), checked=True)[0])
    assert entry["images"] == ["1.png"]


@pytest.mark.parametrize("target", ["sharegpt", "openai_sft"])
def test_the_name_of_a_system_message_is_kept_or_declared(target: str) -> None:
    system = {"role": "system", "content": "Be brief.", "name": "ann"}
    turns = [system, {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    written = by_name(target).write(by_name("openai_sft").read({"messages": turns}))
    assert (Loss.NAMES in written.losses) == ("ann" not in json.dumps(written.record))
