"""Every string of a record is looked at, at every place, and what goes out still fits together."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.formats import FORMATS, by_name, detect
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.model import Conversation, ConversationId
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.clean.rule_pass import clean
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.rules.personal_data import MaskingRule, coverage

MAIL, PHONE = "nora.lind@fjordbank.no", "+47 412 34 567"
TEXT = "Tell me how to reach the desk."


def out(record: dict[str, Any], **params: Any) -> dict[str, Any]:
    """The record as it is exported in its own format."""
    row = detect([record]).read(record)  # type: ignore[union-attr]
    rules = build([NamedStep(name="personal_data", params=params)])
    verdict = clean(ConversationId(1), row, rules)
    assert verdict.state.value == "kept"
    after = row._replace(
        turns=verdict.turns or row.turns, tools=verdict.tools or row.tools, shape=verdict.shape or row.shape
    )
    line = shapes.render_line(after)
    assert line is not None, "the masked row does not fit its shape any more"
    return json.loads(line)


def chat(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": TEXT}, {"role": "assistant", "content": "Ask at noon."}], **more}


PLACES: dict[str, dict[str, Any]] = {
    "prompt": {"messages": [{"role": "user", "content": f"Ask {MAIL}."}, {"role": "assistant", "content": "Yes."}]},
    "unknown key": chat(owner=MAIL),
    "nested": chat(meta={"a": [{"b": [f"by {MAIL}", 1]}]}),
    "key": chat(meta={MAIL: 3}),
    "top-level key": chat(**{MAIL: 3}),
    "json in a string": chat(meta=json.dumps({"who": [MAIL], "n": 1})),
    "json in json": chat(meta=json.dumps({"raw": json.dumps({"who": MAIL})})),
    "escaped json": chat(meta=json.dumps({"who": MAIL}).replace("@", "\\u0040")),
    "message key": {
        "messages": [{"role": "user", "content": TEXT, "by": MAIL}, {"role": "assistant", "content": "Ask."}]
    },
    "name": {"messages": [{"role": "user", "content": TEXT, "name": MAIL}, {"role": "assistant", "content": "Ask."}]},
    "tools": chat(tools=[{"type": "function", "function": {"name": "m", "description": f"Mail to {MAIL}"}}]),
    "default of a tool": chat(
        tools=[
            {
                "type": "function",
                "function": {"name": "m", "parameters": {"type": "object", "properties": {"to": {"default": MAIL}}}},
            }
        ]
    ),
    "thinking part": {
        "messages": [
            {"role": "user", "content": TEXT},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": MAIL}, {"type": "text", "text": "Ask."}]},
        ]
    },
    "picture's url": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": TEXT}, {"type": "image_url", "image_url": {"url": f"https://x/?u={MAIL}"}}],
            },
            {"role": "assistant", "content": "A cat."},
        ]
    },
    "alpaca copy": {"instruction": TEXT, "input": "", "output": "Ask.", "history": [["q", f"a {MAIL}"]]},
    "sharegpt": {"conversations": [{"from": "human", "value": TEXT}, {"from": "gpt", "value": f"{MAIL}"}], "id": MAIL},
    "preference": {
        "prompt": TEXT,
        "chosen": f"Write to {MAIL}",
        "rejected": f"No, not to {MAIL}",
        "messages": [{"role": "user", "content": MAIL}],
    },
}  # fmt: skip


@pytest.mark.parametrize("record", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("stand_ins", ["labels", "same_type"])
def test_no_place_lets_a_datum_out(record: dict[str, Any], stand_ins: str) -> None:
    after = out(record, stand_ins=stand_ins)
    said = json.dumps(after, ensure_ascii=False)
    assert "nora.lind" not in said and "fjordbank" not in said
    assert list(map(type, after.values())) == list(map(type, record.values()))


ARGUMENTS = json.dumps({"name": MAIL, "phone": 4741234567})


def test_calls_and_results_still_find_each_other_and_arguments_stay_json() -> None:
    first, second = f"call {MAIL}", "call per.berg@fjordbank.no"
    record = {
        "messages": [
            {"role": "user", "content": TEXT},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": i, "type": "function", "function": {"name": "send", "arguments": ARGUMENTS}}
                    for i in (first, second)
                ],
            },
            {"role": "tool", "tool_call_id": second, "content": json.dumps({"to": MAIL})},
            {"role": "tool", "tool_call_id": first, "content": "sent"},
            {"role": "assistant", "content": "Done."},
        ]
    }  # fmt: skip
    after = out(record)["messages"]
    calls = after[1]["tool_calls"]
    assert calls[0]["id"] != calls[1]["id"]
    assert [after[2]["tool_call_id"], after[3]["tool_call_id"]] == [calls[1]["id"], calls[0]["id"]]
    assert json.loads(calls[0]["function"]["arguments"]) == {"name": "[EMAIL]", "phone": 0}
    assert json.loads(after[2]["content"]) == {"to": "[EMAIL]"}


def test_numbers_stay_numbers_and_need_a_name() -> None:
    after = out(chat(meta={"phone": 4741234567, "job": 4741234567, "score": 0.25, "ok": True}))
    assert after["meta"] == {"phone": 0, "job": 4741234567, "score": 0.25, "ok": True}


def test_two_keys_do_not_become_one() -> None:
    after = out(chat(meta={"a@fjordbank.no": 1, "b@fjordbank.no": 2}))
    assert sorted(after["meta"].values()) == [1, 2]


def test_same_type_gives_equal_data_equal_stand_ins() -> None:
    after = out(chat(cc=[MAIL, "per@fjordbank.no", MAIL]), stand_ins="same_type")["cc"]
    assert after == ["person1@example.com", "person2@example.com", "person1@example.com"]


def test_kinds_and_places_are_counted_and_never_the_datum() -> None:
    record = chat(owner=MAIL, tools=[{"type": "function", "function": {"name": "m", "description": MAIL}}])
    row = by_name("openai_sft").read(record)
    verdict = clean(ConversationId(1), row, build(None))
    assert {(c.field, c.detail, c.count) for c in verdict.changes} == {("record", "email", 1), ("tools", "email", 1)}
    assert "fjordbank" not in repr(verdict)


def test_a_key_that_the_recipe_leaves_out_is_named() -> None:
    rules = [
        rule for rule in build([NamedStep(name="personal_data", params={"unscanned_keys": ["owner"], "phone": "keep"})])
    ]
    assert out(chat(owner=MAIL), unscanned_keys=["owner"])["owner"] == MAIL
    told = coverage([rule for rule in rules if isinstance(rule, MaskingRule)])
    assert (told["unscanned_keys"], told["unscanned_kinds"]) == (["owner"], ["phone", "name"])
    assert coverage([])["kinds"] == {}


def test_a_clean_record_comes_back_byte_for_byte() -> None:
    record = chat(meta={"n": [1, 2.50, 12345678901234567890123], "t": "1234567, 7654321", "u": "\\u0041"})
    for source in FORMATS:
        if source.accepts(record):
            row: Conversation = source.read(record)
            verdict = clean(ConversationId(1), row, build([NamedStep(name="personal_data")]))
            assert (verdict.turns, verdict.tools, verdict.shape) == (None, None, None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([MAIL, f"see {MAIL}", PHONE, "x", "", '{"a": "' + MAIL + '"}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "id", "name", "arguments", MAIL, "phone"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_whatever_an_unknown_key_holds_no_datum_gets_out(value: Any) -> None:
    after = out(chat(extra_info=value))
    assert "fjordbank" not in json.dumps(after)
    assert type(after["extra_info"]) is type(value)
    assert out(after) == after


def test_a_picture_stays_as_it_is_though_some_of_its_letters_look_like_data() -> None:
    key = "+AKIA" + "Q3EGRIXU5TWZLKBY+"
    noted = f"first {key} then"
    picture = b"\x89PNG\r\n\x1a\n\0" + base64.b64decode(f"AA{key}") + bytes(600)
    text = base64.b64encode(picture).decode()
    assert key in text and key not in json.dumps(out(chat(note=noted))), "such letters are masked elsewhere"
    for shown in (text, f"data:image/png;base64,{text}", text.rstrip("=")):
        record = chat(image=shown, meta={"pictures": [shown]})
        assert out(record) == record
    for hidden in (f"data:image/png;base64,{text} {MAIL}", f"{MAIL} {text}"):
        assert MAIL not in json.dumps(out(chat(image=hidden))), "what is more than a picture is looked at"
