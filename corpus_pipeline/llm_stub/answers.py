"""The stand-in's answer to a chat request: a function of the request, and of the fault where one was drawn.

Reads the contract of the strategies and their judge (`corpus_pipeline/stages/augment/prompts/README.md`): header lines in the
system message, fenced sections and an output line in the user message. Anything else gets a short stock answer.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm_stub import made_up, prose, schema_values
from corpus_pipeline.llm_stub.faults import Fault

_SECTION = lazily(r"^\[\[begin (\w+) ([0-9a-f]{32})\]\]\n(.*?)\n\[\[end \1 \2\]\]$", re.MULTILINE | re.DOTALL)
_HEADER = lazily(r"^(Task|Step|Target language): *([^\n(]*)", re.MULTILINE)


_SOURCES = (
    *("source_response", "evolved_prompt", "source_prompt", "source_reasoning", "source_system"),
    *("response", "prompt", "reasoning", "system"),
)


# those whose JSON answers hold texts of the keys that the last line names
_OLD_TASKS = (
    "paraphrase",
    "evol_instruct",
    "response_regeneration",
    "reasoning_distillation",
    "self_refine",
    "translation",
)


class Reply(NamedTuple):
    """What the message of the first choice holds."""

    content: str | None
    finish_reason: str = "stop"
    refusal: str | None = None
    reasoning: str | None = None


class Order(NamedTuple):
    """What a request asks for. keys: of the JSON object that is wanted, None for plain text."""

    task: str
    step: str
    language: str
    sections: dict[str, str]
    keys: tuple[str, ...] | None
    salt: str
    schema: dict[str, Any] | None = None  # of the object, where the request says one
    labels: tuple[str, ...] = ()  # the words of which one is wanted

    def source(self) -> str:
        """The text that the work is about; the whole user message when it holds no section."""
        for name in _SOURCES:
            if name in self.sections:
                return self.sections[name]
        return next(iter(self.sections.values()), "")


def read_order(body: dict[str, Any], request_hash: str) -> Order:
    """The order in a chat request's body."""
    messages = body["messages"]
    system = next((_text(m) for m in messages if m.get("role") == "system"), "")
    user = next((_text(m) for m in reversed(messages) if m.get("role") == "user"), "")
    head = dict(_HEADER.findall(system.partition("\n\n")[0]))
    last = user.rstrip().rpartition("\n")[2]
    keys = tuple(key.strip() for key in last[13:].split(",")) if last.startswith("Output: json ") else None
    schema = _schema(body)
    if keys is None and schema is not None:
        keys = tuple(schema.get("properties", {}))
    labels = tuple(word.strip() for word in last[15:].split("|")) if last.startswith("Output: one of ") else ()
    return Order(
        task=head.get("Task", "").strip(),
        step=head.get("Step", "").strip(),
        language=head.get("Target language", "").strip(),
        sections=_sections(user) or {"source_prompt": _without_output_line(user, last)},
        keys=keys,
        salt=request_hash[:16],
        schema=schema or _written_schema(user),
        labels=labels,
    )


def reply(order: Order, fault: Fault | None) -> Reply:
    """The answer, good or spoilt."""
    match fault:
        case Fault.EMPTY:
            return Reply("")
        case Fault.WHITESPACE:
            return Reply(" \n\t ")
        case Fault.REFUSAL:
            return Reply(None, refusal="I can't help with that. (corpus-stub)")
        case Fault.SORRY:
            sorry = "I'm sorry, but I can't assist with that request."
            return Reply(_packed(order, dict.fromkeys(order.keys, sorry)) if order.keys else sorry)
        case Fault.MALFORMED:
            good = _good(order)
            return Reply(f"Sure! Here it is: {good[: len(good) // 2]}" if order.keys else '{"text": "' + good[:20])
        case Fault.CUT | Fault.FILTERED:
            good = _good(order)
            return Reply(good[: len(good) // 2], "length" if fault is Fault.CUT else "content_filter")
        case Fault.ECHO:
            return Reply(_packed(order, {key: _source_for(order, key) for key in order.keys or ()}, order.source()))
        case Fault.LOOP:
            loop = "again and again " * 60
            return Reply(_packed(order, dict.fromkeys(order.keys or (), loop), loop))
        case Fault.WRONG_LANGUAGE:
            return Reply(_foreign(order))
        case _:
            return Reply(_good(order))


def _good(order: Order) -> str:
    return _packed(order, {key: _field(order, key) for key in order.keys or ()}, "" if order.keys else _plain(order))


def _plain(order: Order) -> str:
    if order.labels:
        return order.labels[int(order.salt, 16) % len(order.labels)]
    if order.step == "feedback":
        return prose.feedback(order.source())
    if not order.task:
        asked = prose.rewritten(order.source()[:200], order.salt)
        return f"This is the stand-in, which cannot think. {asked}"
    if order.task == "response_regeneration" and "source_response" not in order.sections:
        return prose.composed(order.source(), order.salt)
    if order.task in made_up.ANSWERS:
        return made_up.answer(order.sections, order.salt)
    return prose.rewritten(order.source(), order.salt)


def _field(order: Order, key: str) -> Any:
    if order.task == "first":
        return str(1 + int(order.salt, 16) % 5) if key == "score" else f"That is how it looks. {prose.MARK}"
    source = _source_for(order, key)
    if (made := made_up.field(order.task, key, order.sections, order.salt)) is not None:
        return made
    if key == "summary" and order.task == "prompt":
        return prose.rewritten(made_up.sentence(source), order.salt)
    if order.task == "best_and_worst" and key == "score":
        return str(1 + int(order.salt, 16) % 5)
    if order.task not in _OLD_TASKS and order.schema is not None:
        return schema_values.sample(order.schema.get("properties", {}).get(key, {}), order.salt + key, source)
    if order.task == "translation":
        return prose.translated(source, order.language or "zh")
    if order.task == "evol_instruct":
        return prose.evolved(source, order.salt)
    return prose.rewritten(source, order.salt)


def _source_for(order: Order, key: str) -> str:
    if key == "reasoning" and order.task == "reasoning_distillation":
        return order.sections.get("source_prompt", "") + "\n" + order.source()
    return order.sections.get(f"source_{key}") or order.source()


def _foreign(order: Order) -> str:
    """The answer in a language that was not asked for."""
    if order.task == "translation":
        language = "en" if order.language.startswith("zh") else "zh"
    else:
        language = "en" if prose.language_of(order.source()) == "zh" else "zh"
    fields = {key: prose.translated(_source_for(order, key), language) for key in order.keys or ()}
    return _packed(order, fields, "" if order.keys else prose.translated(order.source(), language))


def _packed(order: Order, fields: dict[str, Any], plain: str = "") -> str:
    return orjson.dumps(fields).decode() if order.keys else plain


def _without_output_line(user: str, last: str) -> str:
    return user.rstrip().removesuffix(last).rstrip() if last.startswith("Output: ") else user


def _sections(user: str) -> dict[str, str]:
    first = _SECTION.search(user)
    if first is None:
        return {}
    # the first section's fence counts; whatever else looks like a delimiter is a row's text
    return {name: text for name, fence, text in _SECTION.findall(user) if fence == first.group(2)}


def _written_schema(user: str) -> dict[str, Any] | None:
    """The schema in a line of the user message before the last one."""
    line = user.rstrip().rpartition("\n\n")[0].rpartition("\n")[2]
    if not line.startswith("Schema: "):
        return None
    try:
        found = orjson.loads(line.removeprefix("Schema: "))
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    wanted = body.get("response_format")
    if not isinstance(wanted, dict) or not isinstance(wanted.get("json_schema"), dict):
        return None
    schema = wanted["json_schema"].get("schema")
    return schema if isinstance(schema, dict) else None


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
