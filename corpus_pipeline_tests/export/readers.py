"""What other tools make of a file, coded from their sources: LLaMA-Factory's converters, TRL's data utilities, ms-swift's
preprocessors, Axolotl's chat_template strategy, Unsloth's standardizer, and the rules of OpenAI's fine-tuning service.

Each raises AssertionError for a record that the tool would refuse, skip, or read as something else.
"""

from __future__ import annotations

import json
import re
from typing import Any

Record = dict[str, Any]

_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


def llama_factory(entry: Record, record: Record) -> tuple[list[Record], list[Record]]:
    """(prompt, response) as the converter of `entry["formatting"]` gives them; every named column must be there."""
    columns = entry.get("columns", {})
    for column in columns.values():
        record.setdefault(column, None)  # `datasets` fills what some rows lack
    if entry.get("formatting", "alpaca") == "alpaca":
        return _alpaca(entry, columns, record)
    return _messages(entry, columns, record)


def _alpaca(entry: Record, columns: Record, record: Record) -> tuple[list[Record], list[Record]]:
    prompt: list[Record] = []
    for asked, answered in record.get(columns.get("history", ""), None) or []:
        prompt += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    query = [record[columns[tag]] for tag in ("prompt", "query") if columns.get(tag) and record[columns[tag]]]
    prompt.append({"role": "user", "content": "\n".join(query)})
    if columns.get("kto_tag"):
        assert isinstance(record[columns["kto_tag"]], bool)
    if entry.get("ranking"):
        texts = [record[columns["chosen"]], record[columns["rejected"]]]
    else:
        texts = [record[columns["response"]]] if columns.get("response") else []
    assert all(isinstance(text, str) for text in texts)
    return prompt, [{"role": "assistant", "content": text} for text in texts]


def _messages(entry: Record, columns: Record, record: Record) -> tuple[list[Record], list[Record]]:
    tags = _TAGS | entry.get("tags", {})
    names = {
        tags["user_tag"]: "user",
        tags["assistant_tag"]: "assistant",
        tags["observation_tag"]: "observation",
        tags["function_tag"]: "function",
        tags["system_tag"]: "system",
    }
    assert len(names) == 5, "two tags are the same word"
    found = list(record[columns["messages"]])
    if found and found[0][tags["role_tag"]] == tags["system_tag"]:
        found = found[1:]
    aligned: list[Record] = []
    for message in found:
        role, content = message[tags["role_tag"]], message[tags["content_tag"]]
        if entry["formatting"] == "openai" and message.get("tool_calls"):
            content, role = json.dumps([call["function"] for call in message["tool_calls"]]), tags["function_tag"]
        assert isinstance(content, str)
        seen = bool(aligned) and aligned[-1]["role"] == "observation"
        if seen and entry["formatting"] == "openai" and role == tags["observation_tag"]:
            aligned[-1]["content"] += "\n" + content
            continue
        aligned.append({"role": names[role], "content": content})
    for at, message in enumerate(aligned):
        assert message["role"] in (("user", "observation"), ("assistant", "function"))[at % 2], "invalid role tag"
    ranking = entry.get("ranking", False)
    assert len(aligned) % 2 == (1 if ranking else 0), "invalid message count"
    if columns.get("kto_tag"):
        assert isinstance(record[columns["kto_tag"]], bool)
    if not ranking:
        return aligned[:-1], aligned[-1:]
    answers = [record[columns["chosen"]], record[columns["rejected"]]]
    assert all(isinstance(answer, dict) for answer in answers), "no pair is found"
    assert all(names[answer[tags["role_tag"]]] in ("assistant", "function") for answer in answers)
    return aligned, [{"role": "assistant", "content": answer[tags["content_tag"]]} for answer in answers]


def openai_fine_tuning(record: Record) -> None:
    """The checks of the fine-tuning service, for both of its formats."""
    if "input" in record:
        messages = record["input"]["messages"]
        _openai_messages(messages, ends_with_answer=False)
        for key in ("preferred_output", "non_preferred_output"):
            assert record[key] and all(message["role"] == "assistant" for message in record[key])
            for message in record[key]:
                _openai_message(message)
        assert not messages or messages[-1]["role"] != "assistant"
        return
    _openai_messages(record["messages"], ends_with_answer=True)
    for tool in record.get("tools") or ():
        assert tool["type"] == "function" and isinstance(tool["function"]["name"], str)


def _openai_messages(messages: list[Record], *, ends_with_answer: bool) -> None:
    assert messages
    waiting: list[str] = []
    for message in messages:
        _openai_message(message)
        if message["role"] == "tool":
            assert message["tool_call_id"] in waiting, "a tool message must follow its call"
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting, "calls must be answered before the next message"
            waiting = [call["id"] for call in message.get("tool_calls", ())]
    if ends_with_answer:
        assert messages[-1]["role"] == "assistant"
        assert any(m["role"] == "assistant" and m.get("weight", 1) == 1 for m in messages), "nothing is trained on"


def _openai_message(message: Record) -> None:
    role = message["role"]
    assert role in ("system", "developer", "user", "assistant", "tool")
    if role != "assistant":
        assert isinstance(message["content"], (str, list)) and "weight" not in message
        return
    assert message.get("weight", 1) in (0, 1)
    assert message.get("content") is not None or message.get("tool_calls") or message.get("refusal") is not None
    for call in message.get("tool_calls", ()):
        assert call["type"] == "function" and isinstance(call["id"], str)
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call["function"]["name"])
        assert isinstance(call["function"]["arguments"], str)


_TRL_TYPES = {
    ("messages",): "language modelling",
    ("text",): "language modelling",
    ("prompt",): "prompt only",
    ("completion", "prompt"): "prompt and completion",
    ("chosen", "prompt", "rejected"): "preference",
    ("chosen", "rejected"): "implicit preference",
    ("completion", "label", "prompt"): "unpaired preference",
}


def trl(record: Record) -> tuple[str, bool]:
    """(type, whether it is conversational), as `trl.data_utils.is_conversational` and the trainers find them."""
    known = tuple(sorted(record.keys() & {"prompt", "completion", "chosen", "rejected", "label", "messages", "text"}))
    values = [record[key] for key in known if key != "label"]
    conversational = [isinstance(value, list) for value in values]
    assert len(set(conversational)) == 1, "half of it is conversational"
    for value in values:
        if isinstance(value, list):
            assert value and isinstance(value[0], dict) and "role" in value[0] and "content" in value[0]
            for message in value:
                for call in message.get("tool_calls") or ():
                    assert isinstance(call["function"]["arguments"], dict), "a chat template would encode it twice"
        else:
            assert isinstance(value, str)
    if "label" in known:
        assert isinstance(record["label"], bool)
    return _TRL_TYPES[known], conversational[0]


def ms_swift(record: Record) -> list[Record]:
    """The messages after AutoPreprocessor and its checks."""
    if "messages" in record or "conversations" in record:
        messages = []
        for message in record.get("messages") or record["conversations"]:
            role = message.get("role") or {"human": "user", "gpt": "assistant", "observation": "tool"}[message["from"]]
            content = message.get("content", message.get("value"))
            for call in message.get("tool_calls") or ():
                messages.append({"role": "tool_call", "content": json.dumps(call["function"])})
            if content is not None and not (message.get("tool_calls") and content == ""):
                messages.append({"role": role, "content": content})
    else:
        asked = record.get("query", record.get("instruction", record.get("prompt", record.get("question"))))
        said = record.get("response", record.get("output", record.get("completion", record.get("answer"))))
        assert isinstance(asked, str) and isinstance(said, str)
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    assert messages
    for message in messages:
        assert message["role"] in {"system", "user", "tool_call", "tool_response", "tool", "assistant"}, message
        assert message["content"] is not None
    if "rejected_response" in record:
        assert record["rejected_response"] not in (None, messages[-1]["content"])
    return messages


def axolotl(record: Record) -> None:
    """`type: chat_template` over `messages`: roles of its default map, texts or calls, booleans for training."""
    assert record["messages"]
    for message in record["messages"]:
        assert message["role"] in ("system", "developer", "user", "human", "assistant", "gpt", "tool")
        assert message.get("content") is not None or message.get("tool_calls")
        assert isinstance(message.get("train", True), bool)
        for call in message.get("tool_calls") or ():
            assert isinstance(call["function"]["arguments"], (dict, str))


def unsloth(record: Record) -> list[Record]:
    """`standardize_sharegpt`: two keys a message, of which one names the role."""
    aliases = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
    found = record.get("conversations") or record["messages"]
    names = {tuple(message) for message in found}
    assert len(names) == 1 and len(next(iter(names))) == 2, "other keys than a role and a text"
    return [{"role": aliases[next(iter(m.values()))], "content": list(m.values())[1]} for m in found]
