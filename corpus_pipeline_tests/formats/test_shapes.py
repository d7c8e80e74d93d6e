"""Shapes of the field that have no format of their own: found, read with all context, and back key for key."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from corpus_pipeline.formats import NotExportable, by_name, detect, export_line, look_at
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.verdicts import verdict_on

Record = dict[str, Any]


def ask(text: Any) -> Record:
    return {"role": "user", "content": text}


def say(text: Any, **more: Any) -> Record:
    return {"role": "assistant", "content": text, **more}


def system(text: str) -> Record:
    return {"role": "system", "content": text}


def calling(name: str, arguments: Record, text: str | None = None, identifier: str | None = None) -> Record:
    """An assistant message with one call; compared without its id when none is given."""
    function = {"name": name, "arguments": json.dumps(arguments, separators=(",", ":"))}
    named = {} if identifier is None else {"id": identifier}
    return say(text, tool_calls=[{**named, "type": "function", "function": function}])


class Case(NamedTuple):
    """A record, the format that it is found to be, what is exported as `target`, and what that loses."""

    record: Record
    kind: str
    wanted: Record
    target: str = "openai_sft"
    losses: tuple[str, ...] = ()


def talk(*messages: Record, **more: Any) -> Record:
    return {"messages": list(messages), **more}


PLANT = {"type": "object", "properties": {"plant": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "water", "parameters": PLANT}}
WATER = {"name": "water", "arguments": {"plant": "fern"}}
PAIR = {"prompt": [ask("Which tree?")], "chosen": [say("Oak.")], "rejected": [say("Tree.")]}

CASES = {
    "dolly": Case(
        {"instruction": "Who won?", "context": "Ann ran 9 s, Bo 8 s.", "response": "Bo.", "category": "qa"},
        "instruction",
        talk(ask("Who won?\nAnn ran 9 s, Bo 8 s."), say("Bo."), category="qa"),
    ),
    "gpteacher": Case(
        {"instruction": "Sort.", "input": "3 1", "response": "1 3"}, "instruction", talk(ask("Sort.\n3 1"), say("1 3"))
    ),
    "openorca": Case(
        {"id": "t.1", "system_prompt": "Be kind.", "question": "Why?", "response": "So."},
        "instruction",
        talk(system("Be kind."), ask("Why?"), say("So."), id="t.1"),
    ),
    "other case": Case(
        {"System Prompt": "Be kind.", "User-Input": "Why?", "modelResponse": "So."},
        "instruction",
        talk(system("Be kind."), ask("Why?"), say("So.")),
    ),
    "math": Case(
        {"problem": "1+1?", "level": "1", "solution": "It is 2.", "answer": "2"},
        "instruction",
        talk(ask("1+1?"), say("It is 2."), level="1", answer="2"),
    ),
    "medical": Case(
        {"Question": "Dose?", "Complex_CoT": "Weigh first.", "Response": "Two."},
        "instruction",
        talk(ask("Dose?"), say("Two.", reasoning_content="Weigh first.")),
        "axolotl",
    ),
    "a text and outputs": Case(
        {"text": "Name a tree.", "outputs": ["Oak.", "Elm."], "id": 1},
        "instruction",
        talk(ask("Name a tree."), say("Oak."), id=1),
        losses=("other_answers",),
    ),
    "several names in plural": Case(
        {"Questions": "Which tree?", "replies": "Oak."}, "instruction", talk(ask("Which tree?"), say("Oak."))
    ),
    "history alone": Case(
        {"chat_history": [ask("Which tree?"), say("Oak.")], "id": 1},
        "chat",
        talk(ask("Which tree?"), say("Oak."), id=1),
    ),
    "objects by role": Case(
        {"conversation": [{"human": "Which tree?"}, {"bot": "Oak."}]}, "chat", talk(ask("Which tree?"), say("Oak."))
    ),
    "messages and a list of answers": Case(
        {"prompt": [ask("Which tree?")], "responses": ["Oak.", "Elm."]},
        "chat",
        talk(ask("Which tree?"), say("Oak.")),
        losses=("other_answers",),
    ),
    "firefly": Case(
        {"kind": "Couplet", "input": "A line.", "target": "Another."},
        "instruction",
        talk(ask("A line."), say("Another."), kind="Couplet"),
    ),
    "firefly rounds": Case(
        {"conversation_id": 4, "conversation": [{"human": "a?", "assistant": "b"}, {"human": "c?", "assistant": "d"}]},
        "chat",
        talk(ask("a?"), say("b"), ask("c?"), say("d"), conversation_id=4),
    ),
    "moss": Case(
        {
            "meta_instruction": "You help.",
            "chat": {
                "turn_1": {"Human": "a?", "Inner Thoughts": "hm", "MOSS": "b"},
                "turn_2": {"Human": "c?", "MOSS": "d"},
            },
        },
        "chat",
        talk(system("You help."), ask("a?"), say("b", reasoning_content="hm"), ask("c?"), say("d")),
        "axolotl",
    ),
    "moss wrapped": Case(
        {
            "chat": {
                "turn_1": {
                    "Human": "<|Human|>: a?<eoh>\n",
                    "Inner Thoughts": "<|Inner Thoughts|>: None<eot>\n",
                    "MOSS": "<|MOSS|>: b<eom>\n",
                }
            }
        },
        "chat",
        talk(ask("a?"), say("b")),
    ),
    "history": Case(
        {"system": "Be brief.", "history": [["a?", "b"]], "query": "c?", "response": "d", "rejected_response": "e"},
        "preference",
        {"prompt": [system("Be brief."), ask("a?"), say("b"), ask("c?")], "chosen": [say("d")], "rejected": [say("e")]},
        "trl_preference_chat",
    ),
    "number as answer": Case({"question": "1+1?", "answer": 2}, "instruction", talk(ask("1+1?"), say("2"))),
    "squad": Case(
        {"context": "Bo won.", "question": "Who?", "answers": {"text": ["Bo", "Bo"]}},
        "instruction",
        talk(ask("Who?\nBo won."), say("Bo")),
    ),
    "several answers": Case(
        {"question": "Who?", "answers": ["Bo", "Bob"]},
        "instruction",
        talk(ask("Who?"), say("Bo")),
        losses=("other_answers",),
    ),
    "orca_dpo": Case(
        {"system": "Be brief.", "question": "Which tree?", "chosen": "Oak.", "rejected": "Tree."},
        "preference",
        {**PAIR, "prompt": [system("Be brief."), ask("Which tree?")]},
        "trl_preference_chat",
    ),
    "ultrafeedback binarized": Case(
        {
            "prompt": "Which tree?",
            "chosen": [ask("Which tree?"), say("Oak.")],
            "rejected": [ask("Which tree?"), say("Tree.")],
            "messages": [ask("Which tree?"), say("Oak.")],
            "score_chosen": 8.5,
        },
        "preference",
        {**PAIR, "score_chosen": 8.5},
        "trl_preference_chat",
    ),
    "ultrafeedback full": Case(
        {
            "instruction": "Which tree?",
            "completions": [
                {"model": "x", "response": "Tree.", "overall_score": 3.0},
                {"model": "y", "response": "Oak.", "overall_score": 8},
                {"model": "z", "response": "Elm?", "overall_score": 5},
            ],
        },
        "preference",
        PAIR,
        "trl_preference_chat",
        ("message_keys", "other_answers"),
    ),
    "scored texts called responses": Case(
        {"prompt": "Which tree?", "responses": [{"text": "Oak.", "score": 5}, {"text": "Tree.", "score": 1}]},
        "preference",
        PAIR,
        "trl_preference_chat",
        ("message_keys",),
    ),
    "history that ends with the question": Case(
        {"question": "Which tree?", "context_messages": [ask("Which tree?")], "inferences": [{"completion": "Oak."}]},
        "instruction",
        talk(ask("Which tree?"), say("Oak.")),
    ),
    "pairs of a role and a text": Case(
        {"conversation": [["user", "Which tree?"], ["assistant", "Oak."]]},
        "chat",
        talk(ask("Which tree?"), say("Oak.")),
    ),
    "prompt text and answers as messages": Case(
        {"prompt": "Which tree?", "chosen": [say("Oak.")], "rejected": [say("Tree.")]},
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
    "messages and pair of texts": Case(
        {"messages": [ask("Which tree?")], "chosen": "Oak.", "rejected": "Tree."},
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
    "ms-swift rejected_response": Case(
        {"messages": [ask("Which tree?"), say("Oak.")], "rejected_response": "Tree."},
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
    "ms-swift rejected_messages": Case(
        {"messages": [ask("Which tree?"), say("Oak.")], "rejected_messages": [ask("Which tree?"), say("Tree.")]},
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
    "hh": Case(
        {
            "chosen": "\n\nHuman: Which tree?\n\nAssistant: Oak.",
            "rejected": "\n\nHuman: Which tree?\n\nAssistant: Tree.",
        },
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
    "llama-factory v1": Case(
        {
            "chosen_messages": [{"role": "user", "content": [{"type": "text", "value": "Which tree?"}]}, say("Oak.")],
            "rejected_messages": [
                {"role": "user", "content": [{"type": "text", "value": "Which tree?"}]},
                say("Tree."),
            ],
        },
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
    "kto": Case(
        {"messages": [ask("Which tree?"), say("Oak.")], "label": False},
        "labelled",
        {"prompt": [ask("Which tree?")], "completion": [say("Oak.")], "label": False},
        "trl_label_chat",
    ),
    "kto as number": Case(
        {"question": "Which tree?", "answer": "Oak.", "kto_tag": 1},
        "labelled",
        {"prompt": [ask("Which tree?")], "completion": [say("Oak.")], "label": True},
        "trl_label_chat",
    ),
    "wildchat": Case(
        {"conversation_hash": "x", "conversation": [{**ask("a?"), "toxic": False}, {**say("b"), "toxic": False}]},
        "chat",
        talk(ask("a?"), say("b"), conversation_hash="x"),
        losses=("message_keys",),
    ),
    "capitalised roles": Case(
        {"conversations": [{"from": "User", "value": "a?"}, {"from": "Chatbot", "value": "b"}]},
        "chat",
        talk(ask("a?"), say("b")),
    ),
    "foreign roles": Case(
        {"dialogue": [{"role": "用户", "content": "甲?"}, {"role": "助手", "content": "乙"}]},
        "chat",
        talk(ask("甲?"), say("乙")),
    ),
    "speaker and text": Case(
        {"dialog": [{"speaker": "Customer", "text": "a?"}, {"speaker": "Agent", "text": "b"}]},
        "chat",
        talk(ask("a?"), say("b")),
    ),
    "texts by turns": Case({"id": "0", "data": ["a?", "b", "c?", "d"]}, "chat", talk(*map(ask, "x"), id="0")),
    "axolotl segments": Case(
        {"segments": [{"label": False, "text": "a? "}, {"label": True, "text": "b"}]},
        "chat",
        talk(ask("a? "), say("b")),
    ),
    "tree": Case(
        {
            "message_tree_id": "m",
            "prompt": {
                "text": "a?",
                "role": "prompter",
                "replies": [
                    {"text": "worse", "role": "assistant", "rank": 1, "replies": []},
                    {
                        "text": "b",
                        "role": "assistant",
                        "rank": 0,
                        "replies": [{"text": "c?", "role": "prompter", "replies": []}],
                    },
                ],
            },
        },
        "message_tree",
        talk(ask("a?"), say("b"), message_tree_id="m"),
        losses=("message_keys", "other_answers"),
    ),
    "tree from its root": Case(
        {
            "message_id": "m",
            "text": "a?",
            "role": "prompter",
            "replies": [{"text": "b", "role": "assistant", "rank": 0, "replies": []}],
        },
        "message_tree",
        talk(ask("a?"), say("b"), message_id="m"),
        losses=("message_keys",),
    ),
    "gemini": Case(
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "a?"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "water", "args": {"plant": "fern"}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "water", "response": {"done": True}}}]},
                {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "b"}]},
            ],
            "tools": [{"functionDeclarations": [{"name": "water", "parameters": PLANT}]}],
        },
        "chat",
        talk(
            system("Be brief."),
            ask("a?"),
            calling("water", WATER["arguments"], identifier="call_2_0"),
            {"role": "tool", "name": "water", "content": '{"done":true}', "tool_call_id": "call_2_0"},
            say("b"),
            tools=[TOOL],
        ),
        losses=("reasoning",),
    ),
    "anthropic": Case(
        {
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                ask("a?"),
                say(
                    [
                        {"type": "thinking", "thinking": "hm"},
                        {"type": "text", "text": "Wait."},
                        {"type": "tool_use", "id": "t1", "name": "water", "input": {"plant": "fern"}},
                    ]
                ),
                ask([{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "done"}]}]),
                say("b"),
            ],
            "tools": [{"name": "water", "input_schema": PLANT}],
        },
        "chat",
        talk(
            system("Be brief."),
            ask("a?"),
            calling("water", WATER["arguments"], "Wait.", "t1"),
            {"role": "tool", "content": "done", "tool_call_id": "t1"},
            say("b"),
            tools=[TOOL],
        ),
        losses=("reasoning",),
    ),
    "harmony channels": Case(
        {"messages": [ask("a?"), say("hm", channel="analysis"), say("b", channel="final")]},
        "chat",
        talk(ask("a?"), say("b", reasoning_content="hm")),
        "axolotl",
    ),
    "xlam": Case(
        {
            "query": "Water the fern.",
            "tools": json.dumps([{"name": "water", "parameters": {"plant": {"type": "str", "description": "which"}}}]),
            "answers": json.dumps([WATER]),
        },
        "instruction",
        talk(
            ask("Water the fern."),
            calling("water", WATER["arguments"], identifier="call_1_0"),
            tools=[
                {
                    "type": "function",
                    "function": {
                        "name": "water",
                        "parameters": {
                            "type": "object",
                            "properties": {"plant": {"type": "string", "description": "which"}},
                            "required": ["plant"],
                        },
                    },
                }
            ],
        ),
    ),
    "bfcl": Case(
        {
            "id": "simple_3",
            "question": [[ask("Water the fern.")]],
            "function": [{"name": "water", "parameters": PLANT}],
        },
        "chat",
        talk(ask("Water the fern."), tools=[TOOL], id="simple_3"),
        "trl_messages",
    ),
    "hermes": Case(
        {
            "conversations": [
                {"from": "human", "value": "a?"},
                {"from": "gpt", "value": f"Wait.\n<tool_call>\n{json.dumps(WATER)}\n</tool_call>"},
                {"from": "tool", "value": '<tool_response>\n{"done": true}\n</tool_response>'},
                {"from": "gpt", "value": "b"},
            ],
            "tools": json.dumps([TOOL]),
        },
        "chat",
        talk(
            ask("a?"),
            calling("water", WATER["arguments"], "Wait.", "call_1_0"),
            {"role": "tool", "content": '{"done": true}', "tool_call_id": "call_1_0"},
            say("b"),
            tools=[TOOL],
        ),
    ),
    "glaive": Case(
        {
            "system": "SYSTEM: You help.",
            "chat": 'USER: a?\n\n\nASSISTANT: <functioncall> {"name": "water", "arguments": \'{"plant": "fern"}\'}'
            ' <|endoftext|>\n\n\nFUNCTION RESPONSE: {"done": true}\n\n\nASSISTANT: b <|endoftext|>',
        },
        "chat",
        talk(
            system("You help."),
            ask("a?"),
            calling("water", WATER["arguments"], identifier="call_2_0"),
            {"role": "tool", "content": '{"done": true}', "tool_call_id": "call_2_0"},
            say("b"),
        ),
    ),
    "hermes in the notation of Python": Case(
        {
            "conversations": [
                {"from": "human", "value": "a?"},
                {
                    "from": "gpt",
                    "value": "<tool_call>\n{'arguments': {'plant': 'fern'}, 'name': 'water'}\n</tool_call>",
                },
                {"from": "tool", "value": "<tool_response>\ndone\n</tool_response>"},
                {"from": "gpt", "value": "b"},
            ]
        },
        "chat",
        talk(
            ask("a?"),
            calling("water", WATER["arguments"], identifier="call_1_0"),
            {"role": "tool", "content": "done", "tool_call_id": "call_1_0"},
            say("b"),
        ),
    ),
    "toolace": Case(
        {
            "system": f"Here is a list of functions:\n{json.dumps([TOOL['function']])}",
            "conversations": [
                {"from": "user", "value": "a?"},
                {"from": "assistant", "value": "[water(plant='fern'), water(plant=\"a, b\")]"},
                {"from": "tool", "value": "done"},
                {"from": "tool", "value": "done"},
                {"from": "assistant", "value": "[water(plant='fern')]?"},
            ],
        },
        "chat",
        talk(
            system(f"Here is a list of functions:\n{json.dumps([TOOL['function']])}"),
            ask("a?"),
            say(
                None,
                tool_calls=[
                    calling("water", {"plant": plant}, identifier=f"call_2_{at}")["tool_calls"][0]
                    for at, plant in enumerate(("fern", "a, b"))
                ],
            ),
            {"role": "tool", "content": "done", "tool_call_id": "call_2_0"},
            {"role": "tool", "content": "done", "tool_call_id": "call_2_1"},
            say("[water(plant='fern')]?"),
        ),
    ),
    "calls under another key": Case(
        talk(
            ask("a?"),
            say("", function_calls=[WATER]),
            {"role": "environment", "content": "done"},
            say("b", function_calls=None),
            functions=[TOOL["function"]],
        ),
        "chat",
        talk(
            ask("a?"),
            calling("water", WATER["arguments"], "", "call_1_0"),
            {"role": "tool", "content": "done", "tool_call_id": "call_1_0"},
            say("b"),
            tools=[TOOL],
        ),
    ),
    "calls as code, tools in the system message": Case(
        talk(
            {**system("Call."), "functions": json.dumps([TOOL["function"]]), "function_calls": None},
            ask("a?"),
            say(None, function_calls="water(plant=\"fern\")\nwater(plant='moss')"),
            {"role": "environment", "content": "done"},
            {"role": "environment", "content": "done"},
            say("b"),
        ),
        "chat",
        talk(
            system("Call."),
            ask("a?"),
            say(
                None,
                tool_calls=[
                    calling("water", {"plant": plant}, identifier=f"call_2_{at}")["tool_calls"][0]
                    for at, plant in enumerate(("fern", "moss"))
                ],
            ),
            {"role": "tool", "content": "done", "tool_call_id": "call_2_0"},
            {"role": "tool", "content": "done", "tool_call_id": "call_2_1"},
            say("b"),
            tools=[TOOL],
        ),
    ),
    "harmony calls": Case(
        talk(
            {
                "role": "developer",
                "content": [
                    {
                        "type": "developer_content",
                        "instructions": "Be brief.",
                        "tools": {"functions": {"name": "functions", "tools": [TOOL["function"]]}},
                    }
                ],
            },
            ask([{"type": "text", "text": "a?"}]),
            say("hm", channel="analysis"),
            say('{"plant": "fern"}', channel="commentary", recipient="functions.water", content_type="json"),
            {"role": "tool", "name": "functions.water", "content": "done", "recipient": "assistant"},
            say("b", channel="final"),
        ),
        "chat",
        talk(
            {"role": "developer", "content": "Be brief."},
            ask("a?"),
            say(
                None,
                tool_calls=[
                    {
                        "id": "call_2_0",
                        "type": "function",
                        "function": {"name": "water", "arguments": '{"plant": "fern"}'},
                    }
                ],
            ),
            {"role": "tool", "name": "water", "content": "done", "tool_call_id": "call_2_0"},
            say("b"),
            tools=[TOOL],
        ),
        losses=("reasoning",),
    ),
    "items of responses": Case(
        {
            "instructions": "Be brief.",
            "input": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a?"}]},
                {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
                {"type": "function_call", "call_id": "c1", "name": "water", "arguments": '{"plant":"fern"}'},
                {"type": "function_call", "call_id": "c2", "name": "water", "arguments": '{"plant":"moss"}'},
                {"type": "function_call_output", "call_id": "c1", "output": "done"},
                {"type": "function_call_output", "call_id": "c2", "output": "dry"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
            ],
            "tools": [{"type": "function", **TOOL["function"]}],
        },
        "chat",
        talk(
            system("Be brief."),
            ask("a?"),
            say(
                None,
                tool_calls=[
                    calling("water", {"plant": plant}, identifier=identifier)["tool_calls"][0]
                    for plant, identifier in (("fern", "c1"), ("moss", "c2"))
                ],
            ),
            {"role": "tool", "content": "done", "tool_call_id": "c1"},
            {"role": "tool", "content": "dry", "tool_call_id": "c2"},
            say("b"),
            tools=[TOOL],
        ),
        losses=("reasoning",),
    ),
    "langchain": Case(
        talk(
            {"type": "human", "data": {"content": "a?", "additional_kwargs": {}}},
            {"type": "ai", "data": {"content": "b", "additional_kwargs": {}}},
        ),
        "chat",
        talk(ask("a?"), say("b")),
    ),
    "langgraph": Case(
        talk(
            {"type": "human", "content": "a?"},
            {"type": "ai", "content": "", "tool_calls": [{"name": "water", "args": {"plant": "fern"}, "id": "c1"}]},
            {"type": "tool", "content": "done", "tool_call_id": "c1", "name": "water"},
            {"type": "ai", "content": "b", "tool_calls": []},
        ),
        "chat",
        talk(
            ask("a?"),
            calling("water", WATER["arguments"], "", "c1"),
            {"role": "tool", "content": "done", "tool_call_id": "c1", "name": "water"},
            say("b"),
        ),
    ),
    "logged request and response": Case(
        {"id": 1, "input": {"messages": [ask("a?")]}, "output": {"choices": [{"message": say("b")}]}},
        "chat",
        talk(ask("a?"), say("b"), id=1),
    ),
    "ranked answers to an open transcript": Case(
        {
            "prompt": "\n\nHuman: Which tree?\n\nAssistant: ",
            "answers": [{"answer": "Tree.", "rank": 2.0}, {"answer": "Oak.", "rank": 1.0}],
        },
        "preference",
        PAIR,
        "trl_preference_chat",
        ("message_keys",),
    ),
    "messages and several answers of which one is theirs": Case(
        {"problem": "a?", "generations": ["b", "c"], "messages": [ask("a?"), say("b")]},
        "chat",
        talk(ask("a?"), say("b")),
        losses=("other_answers",),
    ),
    "messages and response": Case(
        {"chat_history": [ask("a?"), say("b")], "question": "c?", "answer": "d"},
        "instruction",
        talk(ask("a?"), say("b"), ask("c?"), say("d")),
    ),
    "two answers and a preference with a sign": Case(
        {"context": [ask("Which tree?")], "response1": "Tree.", "response2": "Oak.", "overall_preference": 1},
        "preference",
        {**PAIR, "overall_preference": 1},
        "trl_preference_chat",
    ),
    "two conversations and a winner": Case(
        {
            "conversation_a": [ask("Which tree?"), say("Oak.")],
            "conversation_b": [ask("Which tree?"), say("Tree.")],
            "winner": "model_a",
        },
        "preference",
        {**PAIR, "winner": "model_a"},
        "trl_preference_chat",
    ),
    "two answers and scores": Case(
        {"question": "Which tree?", "answer_0": "Tree.", "answer_1": "Oak.", "score_0": -1.5, "score_1": 0.5},
        "preference",
        {**PAIR, "score_0": -1.5, "score_1": 0.5},
        "trl_preference_chat",
    ),
    "a tie": Case(
        {"prompt": "a?", "response_a": "b", "response_b": "c", "winner": "tie"},
        "instruction",
        talk(ask("a?"), say("b"), response_b="c", winner="tie"),
        losses=("other_answers",),
    ),
    "a task's definition": Case(
        {"definition": "Name the young.", "inputs": "goat", "targets": "kid"},
        "instruction",
        talk(ask("Name the young.\ngoat"), say("kid")),
    ),
    "a trajectory before a pair": Case(
        {"trajectory": [{"from": "user", "value": "Which tree?"}], "chosen": "Oak.", "rejected": "Tree."},
        "preference",
        PAIR,
        "trl_preference_chat",
    ),
}
CASES["texts by turns"] = CASES["texts by turns"]._replace(
    wanted=talk(ask("a?"), say("b"), ask("c?"), say("d"), id="0")
)
every_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@every_case
def test_shape_is_found(case: Case) -> None:
    found = look_at([case.record] * 3)
    assert found.best is not None, found.problem
    assert (found.best.format.name, found.best.accepted) == (case.kind, 3)
    assert found.in_words()


@every_case
def test_shape_comes_back_key_for_key(case: Case) -> None:
    source = by_name(case.kind)
    conversation = source.read(case.record)
    assert json.dumps(shapes.render(conversation)) == json.dumps(case.record)
    line, losses = export_line(conversation, source, source)
    assert (json.loads(line), losses) == (case.record, ())


@every_case
def test_shape_is_exported_with_its_context(case: Case) -> None:
    source = by_name(case.kind)
    line, losses = export_line(source.read(case.record), source, by_name(case.target), checked=True)
    assert json.loads(line) == case.wanted
    assert losses == case.losses


@every_case
def test_changed_text_goes_back_to_every_place_of_it(case: Case) -> None:
    source = by_name(case.kind)
    before = source.read(case.record)
    changed = [
        turn._replace(
            **{field: f"{text} É" for field, text in turn.texts() if not text.startswith("{") and text != "2"}
        )
        for turn in before.turns
    ]
    line, _ = export_line(before._replace(turns=tuple(changed)), source, source)
    after = source.read(json.loads(line))
    assert [turn.texts() for turn in after.turns] == [turn.texts() for turn in changed]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"message_id": "m1", "parent_id": None, "role": "prompter", "text": "a?"}, "one message of a conversation"),
        ({"question": "Which?", "choices": ["a", "b"], "answer": "a"}, "'choices'"),
        ({"question": "Which?", "A": "a", "B": "b", "answer": "A"}, "partly in 'A', 'B'"),
        ({"chat_history": [{"role": "user", "content": "a?"}], "says": "b"}, "no key is known to hold a question"),
        ({"question_id": 1, "turns": ["a?", "b?"]}, "no key is known to hold a question"),
        ({"messages": [{"role": "martian", "content": "a?"}, {"role": "assistant", "content": "b"}]}, "martian"),
        ({"motto": "a", "echo": "b"}, "no key is known"),
        (
            {"prompt": "a?", "response_a": "b", "response_b": "c", "winner": "nobody knows"},
            "no key is known to hold an answer",
        ),
        (
            {
                "prompt": '["a?"]',
                "response_a": '["b"]',
                "response_b": '["c"]',
                "winner_model_a": 1,
                "winner_model_b": 0,
            },
            "an answer",
        ),
    ],
)
def test_what_would_be_guessed_is_refused(record: Record, words: str) -> None:
    found = look_at([record] * 3)
    assert found.best is None
    assert words in found.problem


def test_text_alone_is_no_answer_to_what_stands_beside_it() -> None:
    for beside in ({"output": "Yes."}, {"targets": ["Yes."]}, {"answers": "Yes."}, {"reply": ""}):
        assert look_at([{"text": "Is it?", **beside}]).in_words().count("prompt from text"), beside
    for beside in ({}, {"url": "x"}, {"bot": "gpt"}, {"final": True}, {"answer_count": 2}):
        best = look_at([{"text": "It is.", **beside}]).best
        assert best is not None and best.format.name == "text", beside
    for beside in ({"summary": "It."}, {"input": "Is it?"}, {"label": 1}):
        assert look_at([{"text": "It is.", **beside}]).best is None, beside


def test_a_question_beside_several_answers_is_no_question_alone() -> None:
    for beside in ({"response_a": "Yes.", "response_b": "No."}, {"answer_0": "Yes."}, {"all_completions": ["Yes."]}):
        assert look_at([{"prompt": "Is it?", **beside}]).best is None, beside
    for beside in ({"responses": 2}, {"answer_type": "text"}, {"response_format": "json"}):
        best = look_at([{"prompt": "Is it?", **beside}]).best
        assert best is not None and best.format.name == "trl_prompt", beside


def test_several_questions_are_no_conversation() -> None:
    for key in ("prompt", "inputs", "instruction", "questions"):
        assert look_at([{key: ["Is it?", "Was it?"], "outputs": ["Yes.", "No."]}]).best is None, key


def test_richer_reading_wins_over_an_earlier_format() -> None:
    plain = {"messages": [ask("a?"), say("b")]}
    marked = {**plain, "label": True}
    found = look_at([marked] * 3)
    assert found.best is not None
    assert (found.best.format.name, found.runner_up and found.runner_up.format.name) == ("labelled", "openai_sft")
    assert "label from label" in found.in_words()


def test_mixed_file_is_read_record_by_record() -> None:
    records = [
        {"messages": [ask("a?"), say("b")], "label": True},
        {"instruction": "Sort.", "context": "3 1", "response": "1 3"},
        CASES["gemini"].record,
        {"prompt": "Which tree?", "chosen": "Oak.", "rejected": "Tree."},
    ]
    found = look_at(records)
    assert found.best is not None
    assert (found.best.format.name, found.best.accepted) == ("mixed", 4)
    for record in records:
        assert shapes.render(found.best.format.read(record)) == record
    assert found.best.format.read(records[0]).turns[-1].extra == {"label": True}
    assert found.best.format.read(records[3]).turns[-1].rejected == "Tree."


def test_dropped_turn_is_written_under_the_own_keys() -> None:
    chat = by_name("chat")
    record = {
        "conversations": [
            {"from": "User", "value": x} if i % 2 == 0 else {"from": "Bot", "value": x} for i, x in enumerate("abcd")
        ],
        "id": 4,
    }
    conversation = chat.read(record)
    line, losses = export_line(conversation._replace(turns=conversation.turns[1:]), chat, chat)
    assert (json.loads(line), losses) == ({"conversations": record["conversations"][2:], "id": 4}, ())
    instruction = by_name("instruction")
    one = instruction.read({"task_id": 7, "Instruction": "Sort.", "context": "3 1", "response": "1 3"})
    thoughtful = one._replace(turns=(one.turns[0]._replace(reasoning="hm"),))
    line, losses = export_line(thoughtful, instruction, instruction)
    assert json.loads(line) == {
        "Instruction": "Sort.\n3 1", "context": "", "response": "<think>\nhm\n</think>\n\n1 3", "task_id": 7
    }  # fmt: skip


SEEN = {"type": "image_url", "image_url": {"url": "https://example.org/1.png"}}


@pytest.mark.parametrize(
    ("record", "picture"),
    [
        (
            {"conversations": [{"role": "User", "content": [{"type": "text", "text": "a?"}, SEEN]}, say("b")]},
            SEEN,
        ),
        (
            {
                "messages": [
                    ask(
                        [
                            {"type": "text", "text": "a?"},
                            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                        ]
                    ),
                    say([{"type": "tool_use", "id": "t", "name": "f", "input": {}}]),
                    ask([{"type": "tool_result", "tool_use_id": "t", "content": "x"}]),
                    say("b"),
                ]
            },
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        ),
        (
            {
                "contents": [
                    {
                        "role": "user",
                        "parts": [{"text": "a?"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}],
                    },
                    {"role": "model", "parts": [{"text": "b"}]},
                ]
            },
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        ),
    ],
    ids=["openai", "anthropic", "gemini"],
)
def test_pictures_stay_with_their_question(record: Record, picture: Record) -> None:
    chat = by_name("chat")
    conversation = chat.read(record)
    line, losses = export_line(conversation, chat, by_name("openai_sft"), checked=True)
    assert json.loads(line)["messages"][0] == ask([{"type": "text", "text": "a?"}, picture])
    assert losses == ()
    with pytest.raises(NotExportable, match="media"):
        export_line(conversation, chat, by_name("sharegpt"), checked=True)


def test_foreign_words_for_roles_are_not_handed_to_a_tool() -> None:
    sft = by_name("openai_sft")
    record = {"messages": [{"role": "human", "content": "a?"}, {"role": "gpt", "content": "b"}]}
    conversation = sft.read(record)
    assert json.loads(export_line(conversation, sft, sft)[0]) == record
    assert json.loads(export_line(conversation, sft, sft, checked=True)[0]) == talk(ask("a?"), say("b"))


def test_texts_are_a_conversation_when_they_are_pairs_and_none_when_they_are_documents() -> None:
    record = {"texts": [{"user": "Which shelf?", "assistant": "The lower one.", "source": "hall"}]}
    found = detect([record])
    assert found is not None
    line, _ = export_line(found.read(record), found, by_name("openai_sft"))
    assert json.loads(line)["messages"] == [ask("Which shelf?"), say("The lower one.")]
    documents = {"texts": ["A note on shelves.", "A note on lamps."]}
    other = detect([documents])
    assert other is None or "A note on lamps." not in [turn.response for turn in other.read(documents).turns]


@pytest.mark.parametrize("verdict", [-2, -1, 0, 1, 2, "1", "-1", 1.0, True])
def test_a_number_that_may_be_a_place_or_a_strength_decides_nothing(verdict: Any) -> None:
    for name in ("preference", "winner", "choice", "better_response_id"):
        record = {"prompt": "Which lamp?", "response_1": "The green one.", "response_2": "Any.", name: verdict}
        assert verdict_on(record) is None, name


@pytest.mark.parametrize(
    ("record", "won"),
    [
        ({"response_0": "a b", "response_1": "c d", "better_response_id": 1}, "response_1"),
        ({"response_0": "a b", "response_1": "c d", "better_response_id": 0}, "response_0"),
        ({"response1": "a b", "response2": "c d", "overall_preference": -3}, "response1"),
        ({"response1": "a b", "response2": "c d", "overall_preference": 1}, "response2"),
        ({"ref_A": "a b", "ref_B": "c d", "score_A": 2, "score_B": 7}, "ref_B"),
        ({"human_ref_A": "a b", "human_ref_B": "c d", "labels": 1}, "human_ref_A"),
        ({"response_a": "a b", "response_b": "c d", "winner": "model_b"}, "response_b"),
    ],
)
def test_who_won_is_read_as_the_set_means_it(record: Record, won: str) -> None:
    found = verdict_on({"prompt": "Which lamp?", **record})
    assert found is not None and found.decided and found.won == won
