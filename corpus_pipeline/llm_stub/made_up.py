"""The stand-in's work for strategies that make rows of rows: without intelligence, but of the form that each of them wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm_stub import prose, schema_values

# those that are answered by a plain text about what was asked
ANSWERS: Final = ("best_and_worst", "continuation", "weaker_answer")
_MARKED: Final = lazily(r"^[ \t]*####[ \t]*(\S[^\n]{0,80})$", re.MULTILINE)
_NUMBER: Final = lazily(r"\d+(?:[.,]\d+)*")
_SHORT: Final = 40  # characters of an answer that is itself a final one

Sections = Mapping[str, str]


def answer(sections: Sections, salt: str) -> str:
    """An answer to what is asked, another one for each salt."""
    asked = sections.get("next_prompt") or sections.get("source_prompt") or sections.get("prompt", "")
    about = prose.subject(sections.get("source_prompt") or asked)
    if prose.language_of(asked) == "en":
        return prose.composed(asked, salt)
    return prose.marked(f"{prose.said('more', asked, about)} {prose.rewritten(asked, salt)}")


def field(task: str, key: str, sections: Sections, salt: str) -> Any:
    """What stands under a key of the JSON answer to a task; None where nothing is known of it."""
    text = sections.get("response") or sections.get("prompt", "")
    match task, key:
        case "continuation", "prompt":
            return prose.marked(
                prose.said(
                    "follow", sections.get("source_prompt", ""), prose.subject(sections.get("source_response", ""))
                )
            )
        case "grounded_question", "question":
            return prose.marked(prose.said("ask", text, prose.subject(sentence(text))))
        case "grounded_question", "answer":
            return prose.rewritten(sentence(text), salt)
        case "grounded_question", "evidence":
            return sentence(text)
        case "persona_question", "persona" | "question" | "answer":
            kind = {"persona": "persona", "question": "wonder", "answer": "more"}[key]
            return prose.marked(prose.said(kind, sections.get("prompt", "")))
        case "back_translation", "instruction":
            return prose.marked(prose.said("write", text))
        case "verifiable_answer", "final_answer":
            return final(text)
        case "tool_calls", "request" | "calls" | "answer":
            return _tools(sections, salt)[key]
    return None


def sentence(text: str) -> str:
    """The beginning of a text, up to the end of its first sentence."""
    return re.split(r"(?<=[.!?。])\s", text.strip(), maxsplit=1)[0][:90].strip()


def final(text: str) -> str:
    """The end of an answer: what is marked as such, a short answer itself, else its last number; empty where it has none."""
    marked = _MARKED.findall(text)
    if marked:
        return str(marked[-1]).strip()
    if len(text.strip()) <= _SHORT:
        return text.strip()
    numbers = _NUMBER.findall(text)
    return str(numbers[-1]) if numbers and "=" in text else ""


def _tools(sections: Sections, salt: str) -> dict[str, Any]:
    """A call of one of the tools that are defined, with arguments that fit, and what is said before and after it."""
    tools = orjson.loads(sections.get("tools", "[]"))
    tool = tools[int(salt, 16) % len(tools)]
    own = tool.get("function", tool)
    arguments = schema_values.sample(own.get("parameters") or {"type": "object"}, salt, "some text")
    arguments = {name: _plain(value, name) for name, value in arguments.items()} if isinstance(arguments, dict) else {}
    told = ", ".join(f"{name} {_in_words(value)}" for name, value in arguments.items())
    does = str(own.get("description") or own["name"]).rstrip(".")
    return {
        "request": f"I need this done, please: {does}{f', with {told}' if told else ''}. {prose.MARK}",
        "calls": [
            {
                "name": own["name"],
                "arguments": orjson.dumps(arguments).decode(),
                "result": orjson.dumps({"ok": True, "by": "corpus-stub"}).decode(),
            }
        ],
        "answer": f"It is done: {does} went through{f' with {told}' if told else ''}. {prose.MARK}",
    }


def _plain(value: Any, name: str) -> Any:
    """A made-up text as a short one."""
    return f"some {name.replace('_', ' ')}" if isinstance(value, str) and prose.MARK in value else value


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
