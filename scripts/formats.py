"""Writes docs/formats.md from the code: what of which kind of row each export format keeps, loses or cannot hold.

.venv/bin/python scripts/formats.py          write it
.venv/bin/python scripts/formats.py --check  fail when it is not what the code says
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.formats import FORMATS, GENERAL, Format, Loss, NotExportable, by_name, export_line, look_at
from corpus_pipeline.stages.export.llama_factory import Reader
from corpus_pipeline.stages.ingest.source import Compression, Container

TARGET = Path(__file__).parents[1] / "docs" / "formats.md"


class Kind(NamedTuple):
    """A kind of row: its short name, what it has, the format that it comes in, and an example."""

    name: str
    meaning: str
    source: str
    record: dict[str, Any]


def _talk(*texts: str, **last: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(texts)
    ]
    found[-1] |= last
    return found


_CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}
_TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
_ASK, _SAY = {"role": "user", "content": "2+3?"}, {"role": "assistant", "content": "5"}
_PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}

KINDS = (
    Kind("exchange", "one question, one answer", "openai_sft", {"messages": _talk("2+3?", "5")}),
    Kind(
        "system",
        "a system message before it",
        "openai_sft",
        {"messages": [{"role": "system", "content": "Be brief."}, *_talk("2+3?", "5")]},
    ),
    Kind("turns", "several exchanges", "openai_sft", {"messages": _talk("2+3?", "5", "And 4+4?", "8")}),
    Kind("two in a row", "two questions before the answer", "openai_sft", {"messages": [_ASK, _ASK, _SAY]}),
    Kind("open end", "the last message is a question", "openai_sft", {"messages": _talk("2+3?", "5", "Sure?")}),
    Kind(
        "reasoning",
        "thinking before the answer",
        "reasoning_content",
        {"messages": _talk("2+3?", "5", reasoning_content="2 and 3")},
    ),
    Kind(
        "calls",
        "a tool call with its result",
        "openai_sft",
        {
            "messages": [
                _ASK,
                {"role": "assistant", "content": None, "tool_calls": [_CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "5"},
                _SAY,
            ],
            "tools": [_TOOL],
        },
    ),
    Kind(
        "weights",
        "an answer that is not trained on",
        "openai_sft",
        {"messages": [_ASK, {**_SAY, "weight": 0}, _ASK, {**_SAY, "weight": 1}]},
    ),
    Kind("names", "the name of a speaker", "openai_sft", {"messages": [{**_ASK, "name": "ann"}, _SAY]}),
    Kind(
        "pair",
        "an answer that won and one that lost",
        "trl_preference_chat",
        {"prompt": [_ASK], "chosen": [_SAY], "rejected": [{**_SAY, "content": "6"}]},
    ),
    Kind(
        "label",
        "an answer that is good or bad",
        "trl_label_chat",
        {"prompt": [_ASK], "completion": [_SAY], "label": False},
    ),
    Kind(
        "picture part",
        "a picture in a message",
        "openai_sft",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _PICTURE]}, _SAY]},
    ),
    Kind(
        "picture key",
        "`<image>` in a text, the picture under `images`",
        "alpaca",
        {"instruction": "<image>What is it?", "input": "", "output": "A cat.", "images": ["cat.png"]},
    ),
    Kind("other keys", "keys that no format knows", "openai_sft", {"messages": [_ASK, _SAY], "topic": "sums"}),
    Kind(
        "pair of texts",
        "two whole texts, one of which won",
        "trl_implicit_preference",
        {"chosen": "2+3? 5", "rejected": "2+3? 6"},
    ),
    Kind("text", "one text without a question", "text", {"text": "Two and three are five."}),
)

_KIT = [{"name": "add", "parameters": {"type": "object"}}]
_TOLD = [{"from": "User", "value": "2+3?"}, {"from": "Chatbot", "value": "5"}]
_TAGGED = '<tool_call>\n{"name": "add", "arguments": {"a": 2}}\n</tool_call>'

# shapes that no tool names: the sets that have them, and an example in our own words
SHAPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Dolly", {"instruction": "Who won?", "context": "Bo ran fastest.", "response": "Bo."}),
    ("GPTeacher", {"instruction": "Sort.", "input": "3 1", "response": "1 3"}),
    ("OpenOrca", {"system_prompt": "Be kind.", "question": "Why?", "response": "So."}),
    ("NuminaMath, MATH", {"problem": "2+3?", "solution": "Count: 5.", "answer": "5"}),
    ("medical-o1", {"Question": "2+3?", "Complex_CoT": "2 and 3", "Response": "5"}),
    ("SQuAD", {"context": "Bo won.", "question": "Who?", "answers": {"text": ["Bo"]}}),
    ("firefly rounds", {"conversation": [{"human": "2+3?", "assistant": "5"}]}),
    ("UltraChat", {"data": ["2+3?", "5", "Sure?", "Yes."]}),
    ("MOSS", {"meta_instruction": "You help.", "chat": {"turn_1": {"Human": "2+3?", "MOSS": "5"}}}),
    ("axolotl segments", {"segments": [{"label": False, "text": "2+3?"}, {"label": True, "text": "5"}]}),
    ("ShareGPT dialects", {"conversations": _TOLD}),
    ("WildChat, LMSYS", {"conversation": [{**_ASK, "toxic": False}, {**_SAY, "toxic": False}], "model": "m"}),
    ("orca_dpo", {"system": "Be brief.", "question": "2+3?", "chosen": "5", "rejected": "6"}),
    (
        "UltraFeedback binarized",
        {
            "prompt": "2+3?",
            "chosen": [_ASK, _SAY],
            "rejected": [_ASK, {**_SAY, "content": "6"}],
            "messages": [_ASK, _SAY],
        },
    ),
    (
        "UltraFeedback full",
        {
            "instruction": "2+3?",
            "completions": [{"response": "5", "overall_score": 9}, {"response": "6", "overall_score": 1}],
        },
    ),
    ("ms-swift pairs", {"messages": [_ASK, _SAY], "rejected_response": "6"}),
    ("verl", {"prompt": [_ASK], "reward_model": {"style": "rule", "ground_truth": "5"}, "data_source": "sums"}),
    ("OpenAI reinforcement", {"messages": [_ASK], "reference_answer": "5"}),
    ("datasets-server", {"row_idx": 0, "row": {"question": "2+3?", "answer": "5"}, "truncated_cells": []}),
    (
        "Elasticsearch",
        {"_index": "sums", "_id": "1", "_source": {"instruction": "Add.", "input": "2 3", "output": "5"}},
    ),
    ("HH", {"chosen": "\n\nHuman: 2+3?\n\nAssistant: 5", "rejected": "\n\nHuman: 2+3?\n\nAssistant: 6"}),
    ("KTO with messages", {"messages": [_ASK, _SAY], "label": False}),
    (
        "OASST tree",
        {
            "prompt": {
                "role": "prompter",
                "text": "2+3?",
                "replies": [
                    {"role": "assistant", "text": "5", "rank": 0, "replies": []},
                    {"role": "assistant", "text": "6", "rank": 1, "replies": []},
                ],
            }
        },
    ),
    (
        "Anthropic",
        {
            "system": "Be brief.",
            "messages": [
                _ASK,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "2 and 3"},
                        {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 2}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "5"}]},
                _SAY,
            ],
            "tools": [{"name": "add", "input_schema": {"type": "object"}}],
        },
    ),
    (
        "Gemini",
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "2+3?"}]}, {"role": "model", "parts": [{"text": "5"}]}],
        },
    ),
    ("gpt-oss", {"messages": [_ASK, {**_SAY, "channel": "analysis"}, {**_SAY, "channel": "final"}]}),
    (
        "gpt-oss calls",
        {
            "messages": [
                _ASK,
                {**_SAY, "content": '{"a": 2}', "channel": "commentary", "recipient": "functions.add"},
                {"role": "tool", "name": "functions.add", "content": "5"},
                {**_SAY, "channel": "final"},
            ]
        },
    ),
    (
        "OpenAI responses",
        {
            "instructions": "Be brief.",
            "input": [
                _ASK,
                {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 2}'},
                {"type": "function_call_output", "call_id": "c1", "output": "5"},
                _SAY,
            ],
        },
    ),
    ("LangChain", {"messages": [{"type": "human", "content": "2+3?"}, {"type": "ai", "content": "5"}]}),
    ("requests with responses", {"input": {"messages": [_ASK]}, "output": {"choices": [{"message": _SAY}]}}),
    (
        "ToolACE",
        {
            "system": f"You may call: {json.dumps(_KIT)}",
            "conversations": [{"from": "user", "value": "2+3?"}, {"from": "assistant", "value": "[add(a=2)]"}],
        },
    ),
    ("function_calls", {"messages": [_ASK, {"role": "assistant", "content": None, "function_calls": "add(a=2)"}]}),
    ("xLAM", {"query": "2+3?", "tools": json.dumps(_KIT), "answers": '[{"name": "add", "arguments": {"a": 2}}]'}),
    ("BFCL", {"question": [[_ASK]], "function": _KIT}),
    ("Hermes", {"conversations": [{"from": "human", "value": "2+3?"}, {"from": "gpt", "value": _TAGGED}]}),
    (
        "glaive v2",
        {
            "system": "SYSTEM: You help.",
            "chat": 'USER: 2+3?\n\n\nASSISTANT: <functioncall> {"name": "add", "arguments": \'{"a": 2}\'} <|endoftext|>',
        },
    ),
)
_SHAPE_TARGETS = (
    "openai_sft", "axolotl", "trl_messages", "sharegpt", "alpaca", "trl_preference_chat", "trl_label_chat",
    "trl_grpo_chat",
)  # fmt: skip


def text() -> str:
    """The whole page."""
    return (
        "\n".join([*_head(), *_places(), *_kinds(), *_matrix(), *_shapes(), *_losses(), *_examples()]).rstrip() + "\n"
    )


def _shapes() -> Iterator[str]:
    yield from (
        "## Shapes that are read",
        "",
        "What no tool names is read by what its keys and roles mean, whatever their case: system, question, context,",
        "history, answer, reasoning, pair, label, tools, calls. The reading that understands most of a record is taken, a",
        "file of several shapes is `mixed` and read record by record, and what is not understood stays beside the row. Such",
        "rows go out key for key with `export.format: same`; a changed row whose shape cannot be written is not exportable",
        "(`no_writer`). Tools are written as JSON schema, whatever notation they came in. One message a record (a flat OASST",
        "file) and questions with choices are refused with a word; see `ingest.columns`.",
        "",
    )
    for general in GENERAL:
        yield f"* `{general.name}`: {general.description}."
    yield ""
    yield "| shape | read as | " + " | ".join(f"`{name}`" for name in _SHAPE_TARGETS) + " |"
    yield "|---|---|" + "---|" * len(_SHAPE_TARGETS)
    for name, record in SHAPES:
        best = look_at([record]).best
        assert best is not None, name
        kind = Kind(name, "", best.format.name, record)
        yield f"| {name} | `{best.format.name}` | " + " | ".join(_cell(kind, by_name(t)) for t in _SHAPE_TARGETS) + " |"
    yield ""
    yield from ("An example of each:", "")
    for name, record in SHAPES:
        yield f"* {name}: `{_short(record, 240)}`"
    yield ""


def _head() -> Iterator[str]:
    yield from (
        "# Formats at a glance",
        "",
        "Written by `scripts/formats.py` from the code; a test fails when it is out of date.",
        "",
        "A row that leaves in the format that it came in (`export.format: same`) comes back key for key. A recipe that names a",
        "format gets rows that the format's tool can use: each cell says what becomes of a kind of row. `kept`: nothing is",
        "lost. *Words in italics* are losses: the row is written without them, and they are counted in report and manifest.",
        "**Words in bold** say why the row is not exportable: it is not written, it is listed by",
        "`corpus rows NAME --stage export --where exportable=false`, and more of them than `export.gate.max_not_exportable`",
        "hold the export. `corpus recipe check RECIPE --bind NAME` says both before anything is exported.",
        "",
    )


_PLACES = (
    ("a path", "`corpus add data/chats.jsonl`", "read where it lies; a host without it leaves the file pending"),
    (
        "a folder",
        "`corpus add data/`",
        "the dataset files in it, not in folders below it; names that meet get a kind or a number",
    ),
    (
        "S3",
        "`corpus add s3://bucket/in/chats.jsonl.zst`",
        "an object, or all dataset files below a prefix; keys from `AWS_*`",
    ),
    ("HTTP", "`corpus add https://host/chats.parquet`", "https; http on this machine or from `CORPUS_PRIVATE_HOSTS`"),
    (
        "the Hugging Face hub",
        "`corpus add hf://datasets/openai/gsm8k/main/train`",
        "OWNER/NAME[@REVISION], then CONFIG and SPLIT, a folder or a file; each file by its commit; `corpus-pipeline[hf]`",
    ),
)
_CONTAINERS = {
    Container.LINES: "one JSON object a line, ended by LF or CR LF",
    Container.ARRAY: 'an array of objects, or an object around such (`{"data": [...]}`, also some levels deep, also `train`'
    " and `test`); a broken element costs itself only",
    Container.PARQUET: "`.parquet`, with nested columns; `corpus-pipeline[parquet]`",
    Container.ARROW: "Arrow files and streams, Feather 2; `corpus-pipeline[parquet]`",
    Container.CSV: "the first row names the columns; comma, semicolon or bar; quoted cells may hold line ends",
    Container.TSV: "likewise, with tabs",
}
_PACKINGS = {
    Compression.NONE: "as it is",
    Compression.GZIP: "`.gz`, several members, too",
    Compression.ZSTD: "`.zst`, windows up to 128 MiB",
    Compression.BZIP2: "`.bz2`",
    Compression.XZ: "`.xz`",
    Compression.ZIP: "`.zip` of one file; its table of contents has 1 MiB at most",
}


def _places() -> Iterator[str]:
    yield from (
        "## Where files lie and how they are packed",
        "",
        "| where | command | what it means |",
        "|---|---|---|",
    )
    for where, command, meaning in _PLACES:
        yield f"| {where} | {command} | {meaning} |"
    yield from ("", "| container | what it is |", "|---|---|")
    for container in Container:
        yield f"| `{container}` | {_CONTAINERS[container]} |"
    yield from ("", "| packed | what it is |", "|---|---|")
    for packing in Compression:
        yield f"| `{packing}` | {_PACKINGS[packing]} |"
    yield from (
        "",
        "Container and packing are told by the bytes, not by the name; Parquet and Arrow are not packed once more. Text is",
        "UTF-8, with or without a mark at its begin. UTF-16, lines ended by CR alone, JSON text sequences, HTML pages,",
        "pointers of git LFS, tables written column by column and what is almost JSON are refused by what they are, with the",
        "command that makes JSON lines of them. A number keeps its text through JSON, cells of tables and all formats; one of",
        "Parquet or Arrow comes as the shortest text of its double.",
        "",
    )


def _kinds() -> Iterator[str]:
    yield from ("## Kinds of rows", "", "| kind | what it has | came as | example |", "|---|---|---|---|")
    for kind in KINDS:
        yield f"| {kind.name} | {kind.meaning} | {kind.source} | `{_short(kind.record)}` |"
    yield ""


def _matrix() -> Iterator[str]:
    yield from ("## What becomes of them", "")
    half = (len(KINDS) + 1) // 2
    for part in (KINDS[:half], KINDS[half:]):
        yield "| format | " + " | ".join(kind.name for kind in part) + " |"
        yield "|---|" + "---|" * len(part)
        for target in FORMATS:
            yield f"| `{target.name}` | " + " | ".join(_cell(kind, target) for kind in part) + " |"
        yield ""


def _cell(kind: Kind, target: Format) -> str:
    try:
        _, losses = _written(kind, target)
    except NotExportable as error:
        return f"**{error.reason}**"
    return f"*{', '.join(losses)}*" if losses else "kept"


def _written(kind: Kind, target: Format) -> tuple[bytes, tuple[str, ...]]:
    source = by_name(kind.source)
    return export_line(source.read(kind.record), source, target, checked=True)


def _losses() -> Iterator[str]:
    yield from ("## Words for losses", "", ", ".join(f"`{loss.value}`" for loss in Loss) + ".", "")


def _examples() -> Iterator[str]:
    yield from ("## An example of each", "")
    for target in FORMATS:
        kind, record = _example(target)
        reader = Reader(target)
        reader.take(record)
        entry, why = reader.entry(list(record))
        yield f"### `{target.name}`"
        yield ""
        yield f"{target.description}. LLaMA-Factory: {'in `dataset_info.json`' if entry is not None else why}."
        yield f"The kind *{kind.name}* as it is written:"
        yield from ("", "```json", json.dumps(record, ensure_ascii=False), "```", "")


def _example(target: Format) -> tuple[Kind, dict[str, Any]]:
    """The richest kind of row that this format holds without a loss, else the first that it can hold at all."""
    preferred = ("pair", "label", "calls", "system", "exchange", "pair of texts", "text")
    ordered = sorted(KINDS, key=lambda kind: preferred.index(kind.name) if kind.name in preferred else len(preferred))
    held = []
    for kind in ordered:
        try:
            line, losses = _written(kind, target)
        except NotExportable:
            continue
        held.append((bool(losses), kind, json.loads(line)))
    _, kind, record = min(held, key=lambda found: found[0])
    return kind, record


def _short(record: dict[str, Any], most: int = 150) -> str:
    shown = json.dumps(record, ensure_ascii=False).replace("|", "\\|")
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def main() -> int:
    """Write the page, or compare it."""
    wanted = text()
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text(encoding="utf-8") != wanted)
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
