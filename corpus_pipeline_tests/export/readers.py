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
        answers = role in (tags["assistant_tag"], tags["function_tag"])
        if entry["formatting"] == "openai" and answers and message.get("tool_calls"):
            calls = [call["function"] for call in message["tool_calls"]]
            content, role = json.dumps(calls, ensure_ascii=False), tags["function_tag"]
        assert isinstance(content, str)
        seen = bool(aligned) and aligned[-1]["role"] == "observation"
        if seen and entry["formatting"] == "openai" and role == tags["observation_tag"]:
            aligned[-1]["content"] += "\n</tool_response>\n<tool_response>\n" + content
            continue
        aligned.append({"role": names[role], "content": content})
    for at, message in enumerate(aligned):
        assert message["role"] in (("user", "observation"), ("assistant", "function"))[at % 2], "invalid role tag"
    if entry["formatting"] == "openai" and aligned:
        assert aligned[-1]["role"] != "observation", "results of tools at the end are lost"
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


_SWIFT_ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot"), "assistant"),
    "function_call": "tool_call",
    **dict.fromkeys(("function_response", "observation", "observations"), "tool_response"),
}
_SWIFT_ASKED = ("query", "prompt", "input", "instruction", "question", "problem")
_SWIFT_SAID = ("response", "answer", "output", "targets", "target", "answer_key", "answers", "solution")


def ms_swift(record: Record) -> list[Record]:
    """The messages after AutoPreprocessor and its checks."""
    known = next((key for key in ("conversation", "conversations", "messages") if key in record), None)
    if known is not None:
        messages = []
        if record.get("system") is not None:
            messages.append({"role": "system", "content": record["system"]})
        for message in record[known]:
            role, content = message.get("role", message.get("from")), message.get("content", message.get("value"))
            calls = message.get("tool_calls") if role == "assistant" else None
            if not calls or content:
                messages.append({"role": _SWIFT_ROLES.get(role, role), "content": content})
            for call in calls or ():
                function = call.get("function", call)
                messages.append({"role": "tool_call", "content": {key: function[key] for key in ("name", "arguments")}})
    elif "instruction" in record and "input" in record:
        asked = "\n".join(text for text in (record["instruction"], record["input"]) if text)
        messages = _swift_history(record, asked, record["output"])
    else:
        asked_in, said_in = (
            [key for key in keys if key in record]
            for keys in (_SWIFT_ASKED, (*_SWIFT_SAID, "text", "completion", "content"))
        )
        assert len(asked_in) == len(said_in) == 1, "two columns of one meaning are not looked at"
        messages = _swift_history(record, record[asked_in[0]], record[said_in[0]])
    assert messages
    for message in messages:
        assert message["role"] in {"system", "user", "tool_call", "tool_response", "tool", "assistant"}, message
        assert message["content"] is not None
    if "rejected_response" in record:
        assert record["rejected_response"] not in (None, messages[-1]["content"])
    return messages


def _swift_history(record: Record, asked: str, said: str) -> list[Record]:
    messages = [{"role": "system", "content": record["system"]}] if record.get("system") is not None else []
    for question, answer in [*(record.get("history") or ()), (asked, said)]:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return messages


_AXOLOTL_ROLES = {"human": "user", "gpt": "assistant"}  # all others go to the chat template as they are


def axolotl(record: Record) -> list[Record]:
    """The turns of `type: chat_template` over `messages`, with booleans for training."""
    turns = []
    assert record["messages"]
    for message in record["messages"]:
        assert isinstance(message["role"], str)
        assert message.get("content") is not None or message.get("tool_calls"), "a turn without anything"
        assert isinstance(message.get("train", True), bool)
        for call in message.get("tool_calls") or ():
            arguments = call["function"]["arguments"]
            assert isinstance(json.loads(arguments) if isinstance(arguments, str) else arguments, dict)
        turns.append({"role": _AXOLOTL_ROLES.get(message["role"], message["role"]), "content": message.get("content")})
    return turns


_UNSLOTH_ROLES = {
    **dict.fromkeys(("user", "human", "input"), "user"),
    **dict.fromkeys(("gpt", "assistant", "output"), "assistant"),
    "system": "system",
}


def unsloth(record: Record) -> list[Record]:
    """`standardize_data_formats`: lists of `conversations` are rewritten, `messages` go on as they are."""
    if "conversations" not in record:
        return record["messages"]
    found = record["conversations"]
    keys = {key for message in found for key in message}
    assert len(keys) == 2, "other keys than a role and a text"
    assert all(isinstance(value, str) for message in found for value in message.values())
    (role,) = keys & {"role", "from"}
    (text,) = keys - {role}
    return [{"role": _UNSLOTH_ROLES[message[role].strip().lower()], "content": message[text]} for message in found]
