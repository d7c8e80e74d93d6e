"""For each format a generator of records that it accepts, with all that may stand in them, and one typical record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["", "\n", "a\nb\n\nc", "\u2028\x85\x1c", "\x00", "你好", "<think>hm</think>ok", '"}', "👩‍👩‍👧"]
)
filled = texts.filter(bool)
numbers = (
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([2**63, 2**64, 10**40, 1.0])
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=4
)
objects = st.dictionaries(texts, values, max_size=3)


def records(required: dict[str, st.SearchStrategy], optional: dict[str, st.SearchStrategy] | None = None) -> Any:
    """Objects with required and optional keys and unknown ones, in any order."""
    known = {*required, *(optional or {})}
    unknown = st.dictionaries(st.sampled_from(["id", "source", "meta", "ключ", "score"]), values, max_size=2).map(
        lambda found: {key: value for key, value in found.items() if key not in known}
    )
    order = st.sampled_from([list, sorted, lambda keys: list(reversed(keys))])
    whole = st.tuples(st.fixed_dictionaries(required, optional=optional or {}), unknown, order)
    return whole.map(lambda three: _ordered({**three[0], **three[1]}, three[2]))


def _ordered(record: dict[str, Any], order: Callable[[dict[str, Any]], list[str]]) -> dict[str, Any]:
    return {key: record[key] for key in order(record)}


names = st.sampled_from(["ann", "bob", ""])
call_ids = st.sampled_from(["call_1", "call_2"])
bare_calls = st.fixed_dictionaries({"name": st.sampled_from(["f", "查"]), "arguments": objects})
tools = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("function"), "function": st.fixed_dictionaries({"name": names, "parameters": objects})}
    ),
    max_size=2,
)


def tool_calls(arguments: st.SearchStrategy) -> st.SearchStrategy:
    function = st.fixed_dictionaries({"name": st.sampled_from(["f", "g"]), "arguments": arguments})
    return st.lists(
        st.fixed_dictionaries({"id": call_ids, "type": st.just("function"), "function": function}),
        min_size=1,
        max_size=2,
    )


text_arguments = objects.map(json.dumps) | st.just("not json")


def content(parts: bool) -> st.SearchStrategy:
    if not parts:
        return texts
    part = st.fixed_dictionaries({"type": st.just("text"), "value": texts})
    return texts | st.lists(part, max_size=3)


def messages(
    *,
    arguments: st.SearchStrategy = text_arguments,
    answer: dict[str, st.SearchStrategy] | None = None,
    parts: bool = False,
) -> st.SearchStrategy:
    """Lists of messages, in any order of roles, with one plain message so that there is a text."""
    system = records({"role": st.sampled_from(["system", "developer"]), "content": content(parts)}, {"name": names})
    user = records({"role": st.just("user"), "content": content(parts)}, {"name": names})
    tool = records({"role": st.just("tool"), "content": content(parts)}, {"tool_call_id": call_ids, "name": names})
    old = records(
        {
            "role": st.just("assistant"),
            "content": st.none(),
            "function_call": st.fixed_dictionaries({"name": names, "arguments": text_arguments}),
        }
    )
    speaking = records({"role": st.just("assistant"), "content": content(parts)}, answer)
    calling = records(
        {"role": st.just("assistant"), "tool_calls": tool_calls(arguments)},
        {"content": st.none() | texts, **(answer or {})},
    )
    simple = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": texts})
    certain = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": texts})
    any_message = st.one_of(system, user, tool, old, speaking, calling)
    mixed = st.tuples(st.lists(any_message, max_size=4), certain, st.lists(any_message, max_size=2))
    plain = st.tuples(st.lists(simple, max_size=3), certain, st.just([]))
    return (mixed | plain).map(lambda three: [*three[0], three[1], *three[2]])


openai_answer = {"weight": st.sampled_from([0, 1]), "refusal": st.none() | texts, "name": names}
reasoning_answer = {"reasoning_content": texts | st.none()}
axolotl_answer = {"train": st.booleans(), "reasoning_content": texts}
lone_answer = st.fixed_dictionaries({"role": st.just("assistant"), "content": texts})


def messages_records(strategy: st.SearchStrategy) -> st.SearchStrategy:
    optional = {"tools": tools | st.none() | tools.map(json.dumps), "parallel_tool_calls": st.booleans()}
    return st.fixed_dictionaries({"messages": strategy}) | records({"messages": strategy}, optional)


def content_parts() -> st.SearchStrategy:
    call = st.fixed_dictionaries(
        {"type": st.just("tool_call"), "value": bare_calls | bare_calls.map(json.dumps) | st.just("no call")}
    )
    part = st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from(["text", "reasoning"]), "value": texts}),
        st.fixed_dictionaries({"type": st.just("text"), "text": texts}),
        call,
        st.fixed_dictionaries({"type": st.just("image_url"), "image_url": objects}),
    )
    answer = records(
        {"role": st.just("assistant"), "content": st.lists(part, max_size=4)}, {"loss_weight": st.floats(0, 1)}
    )
    ask = st.fixed_dictionaries(
        {
            "role": st.just("user"),
            "content": st.lists(part, max_size=2).map(lambda p: [*p, {"type": "text", "value": "?"}]),
        }
    )
    return messages_records(st.tuples(ask, answer).map(list) | messages(parts=True))


def sharegpt_turns(odd: bool = False) -> st.SearchStrategy:
    human = st.fixed_dictionaries({"from": st.sampled_from(["human", "user"]), "value": texts})
    seen = st.fixed_dictionaries({"from": st.just("observation"), "value": texts})
    gpt = records({"from": st.sampled_from(["gpt", "assistant"]), "value": texts})
    dumped = st.builds(
        lambda value, ascii_only, tight: json.dumps(
            value, ensure_ascii=ascii_only, separators=(",", ":") if tight else (", ", ": ")
        ),
        bare_calls | st.lists(bare_calls, min_size=1, max_size=2),
        st.booleans(),
        st.booleans(),
    )
    call = st.fixed_dictionaries({"from": st.just("function_call"), "value": dumped | texts})
    system = st.fixed_dictionaries({"from": st.just("system"), "value": texts})
    body = st.lists(st.one_of(human, seen, gpt, call, system), max_size=4)
    return st.tuples(human, body).map(lambda two: [two[0], *two[1]])


sharegpt_optional = {"system": texts | st.none(), "tools": texts | tools.map(json.dumps) | st.none()}
said = st.fixed_dictionaries({"from": st.just("gpt"), "value": texts})

alpaca_optional = {
    "input": texts | st.none(),
    "system": texts | st.none(),
    "history": st.none() | st.lists(st.tuples(texts, texts).map(list), max_size=2),
}


def pair(prompt: str, response: str) -> st.SearchStrategy:
    return st.fixed_dictionaries({prompt: texts, response: texts}) | records({prompt: texts, response: texts})


@st.composite
def implicit_chat(draw: st.DrawFn) -> dict[str, Any]:
    shared = draw(messages())
    won, lost = draw(lone_answer), draw(lone_answer)
    other = draw(st.booleans())
    return {"chosen": [*shared, won], "rejected": [*(draw(messages()) if other else shared), lost]}


answers = st.lists(lone_answer, min_size=1, max_size=1) | messages().flatmap(
    lambda found: lone_answer.map(lambda last: [*found, last])
)

questions = messages().map(lambda found: [*found, {"role": "user", "content": "2+3?"}])

EXAMPLES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "openai_sft": messages_records(messages(answer=openai_answer)),
    "openai_dpo": records(
        {
            "input": records({"messages": messages()}, {"tools": tools, "parallel_tool_calls": st.booleans()}),
            "preferred_output": answers,
            "non_preferred_output": answers,
        }
    ),
    "sharegpt": records({"conversations": sharegpt_turns()}, sharegpt_optional),
    "sharegpt_preference": records(
        {"conversations": sharegpt_turns(), "chosen": said, "rejected": said}, sharegpt_optional
    ),
    "sharegpt_kto": records({"conversations": sharegpt_turns(), "kto_tag": st.booleans()}, sharegpt_optional),
    "content_parts": content_parts(),
    "axolotl": messages_records(messages(arguments=objects, answer=axolotl_answer)),
    "reasoning_content": messages_records(messages(answer=reasoning_answer)),
    "llama_factory_openai": messages_records(messages(arguments=objects)),
    "trl_messages": messages_records(messages(arguments=objects)),
    "trl_preference_chat": records({"prompt": messages(), "chosen": answers, "rejected": answers}, {"tools": tools}),
    "trl_implicit_preference_chat": implicit_chat(),
    "trl_label_chat": records({"prompt": messages(), "completion": answers, "label": st.booleans()}),
    "trl_prompt_completion_chat": records({"prompt": messages(), "completion": messages()}, {"tools": tools}),
    "trl_prompt_chat": records({"prompt": messages()}, {"tools": tools}),
    "alpaca": records({"instruction": texts, "output": texts}, alpaca_optional),
    "alpaca_preference": records({"instruction": texts, "chosen": texts, "rejected": texts}, alpaca_optional),
    "alpaca_kto": records({"instruction": texts, "output": texts, "kto_tag": st.booleans()}, alpaca_optional),
    "trl_preference": records({"prompt": texts, "chosen": texts, "rejected": texts}),
    "trl_implicit_preference": records({"chosen": texts, "rejected": texts}),
    "trl_label": records({"prompt": texts, "completion": texts, "label": st.booleans()}),
    "trl_prompt_completion": pair("prompt", "completion"),
    "question_answer": pair("question", "answer"),
    "prompt_response": pair("prompt", "response"),
    "query_response": records(
        {"query": texts, "response": texts}, {"system": texts, "history": alpaca_optional["history"]}
    ),
    "instruction_response": pair("instruction", "response"),
    "trl_prompt": records({"prompt": texts}),
    "trl_grpo": pair("prompt", "solution"),
    "trl_grpo_chat": records({"prompt": questions, "solution": texts}, {"tools": tools}),
    "swift_grpo": records({"messages": questions, "solution": texts}, {"tools": tools}),
    "text": records({"text": texts}),
}

_ASK = {"role": "user", "content": "What is 2+3?"}
_SAY = {"role": "assistant", "content": "5"}
_CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":2,"b":3}'}}
_OBJECT_CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 2, "b": 3}}}

TYPICAL: dict[str, dict[str, Any]] = {
    "openai_sft": {"messages": [_ASK, {**_SAY, "weight": 1}]},
    "openai_dpo": {"input": {"messages": [_ASK]}, "preferred_output": [_SAY], "non_preferred_output": [_SAY]},
    "sharegpt": {"conversations": [{"from": "human", "value": "2+3?"}, {"from": "gpt", "value": "5"}]},
    "sharegpt_preference": {
        "conversations": [{"from": "human", "value": "2+3?"}],
        "chosen": {"from": "gpt", "value": "5"},
        "rejected": {"from": "gpt", "value": "6"},
    },
    "sharegpt_kto": {
        "conversations": [{"from": "human", "value": "2+3?"}, {"from": "gpt", "value": "5"}],
        "kto_tag": True,
    },
    "content_parts": {
        "messages": [
            {"role": "user", "content": [{"type": "text", "value": "2+3?"}], "loss_weight": 0.0},
            {
                "role": "assistant",
                "content": [{"type": "reasoning", "value": "2 and 3"}, {"type": "text", "value": "5"}],
                "loss_weight": 1.0,
            },
        ]
    },
    "axolotl": {"messages": [_ASK, {**_SAY, "train": True}]},
    "reasoning_content": {"messages": [_ASK, {**_SAY, "reasoning_content": "2 and 3"}]},
    "llama_factory_openai": {
        "messages": [
            _ASK,
            {"role": "assistant", "content": "", "tool_calls": [_OBJECT_CALL]},
            {"role": "tool", "content": "5"},
            _SAY,
        ]
    },
    "trl_messages": {
        "messages": [
            _ASK,
            {"role": "assistant", "tool_calls": [_OBJECT_CALL]},
            {"role": "tool", "name": "add", "content": "5"},
            _SAY,
        ]
    },
    "trl_preference_chat": {"prompt": [_ASK], "chosen": [_SAY], "rejected": [_SAY]},
    "trl_implicit_preference_chat": {"chosen": [_ASK, _SAY], "rejected": [_ASK, _SAY]},
    "trl_label_chat": {"prompt": [_ASK], "completion": [_SAY], "label": False},
    "trl_prompt_completion_chat": {"prompt": [_ASK], "completion": [_SAY]},
    "trl_prompt_chat": {"prompt": [_ASK]},
    "alpaca": {"instruction": "Add.", "input": "2 3", "output": "5"},
    "alpaca_preference": {"instruction": "Add.", "input": "2 3", "chosen": "5", "rejected": "6"},
    "alpaca_kto": {"instruction": "Add.", "input": "2 3", "output": "5", "kto_tag": True},
    "trl_preference": {"prompt": "2+3?", "chosen": "5", "rejected": "6"},
    "trl_implicit_preference": {"chosen": "2+3? 5", "rejected": "2+3? 6"},
    "trl_label": {"prompt": "2+3?", "completion": "5", "label": True},
    "trl_prompt_completion": {"prompt": "2+3?", "completion": "5"},
    "question_answer": {"question": "2+3?", "answer": "5"},
    "prompt_response": {"prompt": "2+3?", "response": "5"},
    "query_response": {"query": "2+3?", "response": "5"},
    "instruction_response": {"instruction": "2+3?", "response": "5"},
    "trl_prompt": {"prompt": "2+3?"},
    "trl_grpo": {"prompt": "2+3?", "solution": "5"},
    "trl_grpo_chat": {"prompt": [_ASK], "solution": "5"},
    "swift_grpo": {"messages": [_ASK], "solution": "5"},
    "text": {"text": "Two and three are five.", "url": "https://example.org/"},
}
