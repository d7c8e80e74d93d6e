"""`tool_calls`: a conversation in which the tools of the row are called, from their definitions alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.stages.augment import foreign_schemas
from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check, as_text
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.skip_reasons import SkipReason

_TEXT = {"type": "string"}
_CALL = {
    "type": "object",
    "properties": {"name": _TEXT, "arguments": _TEXT, "result": _TEXT},
    "required": ["name", "arguments", "result"],
    "additionalProperties": False,
}
_CALLS = {"type": "array", "items": _CALL, "minItems": 1, "maxItems": 8}


class ToolCalls(Task):
    """Makes a request that the tools can serve, the calls with their arguments, plausible results, and the answer.

    Every call is held to the definition of its tool: a name that is not defined and arguments that do not fit its schema fail.
    """

    name: ClassVar[str] = "tool_calls"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a conversation with calls of the row's tools, checked against their definitions"
    source: ClassVar[str] = (
        "Liu et al. (2024), APIGen: Automated Pipeline for Generating Verifiable and Diverse Function-Calling Datasets, "
        "arXiv:2406.18518"
    )

    class Params(StrategyParams):
        """Parameters of `tool_calls`."""

    def _spec(self, params: Any) -> Spec:
        checks = (
            Check(name="request_not_short", field="request", min_characters=10),
            Check(name="request_differs", field="request", differs_from="prompt"),
        )
        output = Output(fields={"request": _TEXT, "calls": _CALLS, "answer": _TEXT})
        return Spec(output, Makes(row={"prompt": "request", "response": "answer"}), checks=checks)

    def _may_look(self, conversation: Conversation) -> bool:
        return True  # nothing of the row but its tools and a prompt is shown

    def applies(self, conversation: Conversation) -> str | None:
        """See `Strategy.applies`: it needs definitions that can be read."""
        return super().applies(conversation) or (None if _definitions(conversation.tools) else SkipReason.NO_INPUT)

    def _new_row(self, conversation: Conversation, values: Mapping[str, Any]) -> tuple[Turn, ...]:
        """The request with its calls, a turn for each result, and the answer in the last one."""
        calls = _checked_calls(values["calls"], _definitions(conversation.tools))
        made = [
            {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for number, (name, arguments, _) in enumerate(calls, 1)
        ]
        results = [
            Turn(prompt=result, extra={"prompt_role": "tool", "tool_call_id": f"call_{number}"})
            for number, (_, _, result) in enumerate(calls, 1)
        ]
        results[-1] = results[-1]._replace(response=as_text(values["answer"]).strip())
        return (Turn(prompt=as_text(values["request"]).strip(), extra={"tool_calls": made}), *results)


def _definitions(tools: str | None) -> dict[str, dict[str, Any]]:
    """Tool name to the JSON schema of its arguments, of all definitions that can be read."""
    try:
        listed = json.loads(tools or "[]")
    except ValueError:
        return {}
    found = {}
    for tool in listed if isinstance(listed, list) else ():
        own = tool.get("function", tool) if isinstance(tool, dict) else None
        if isinstance(own, dict) and isinstance(own.get("name"), str):
            schema = own.get("parameters") or own.get("input_schema") or {"type": "object"}
            if isinstance(schema, dict) and foreign_schemas.fault(schema) is None:
                found[own["name"]] = schema
    return found


def _checked_calls(calls: list[dict[str, str]], known: Mapping[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(name, arguments as JSON, result) of calls that fit the definitions. Raises BadAnswer."""
    found = []
    for call in calls:
        name = call["name"]
        if name not in known:
            raise BadAnswer(
                BadReason.MALFORMED, f"a call of {name[:60]!r}, which is not defined: {', '.join(known)[:120]}"
            )
        try:
            arguments = json.loads(call["arguments"], strict=False)
        except (ValueError, RecursionError) as error:
            said = call["arguments"][:80]
            raise BadAnswer(BadReason.MALFORMED, f"the arguments of {name} are no JSON: {said}") from error
        fault = foreign_schemas.misfit(arguments, known[name]) if isinstance(arguments, dict) else "they are no object"
        if fault is not None:
            raise BadAnswer(BadReason.MALFORMED, f"the arguments of {name} do not fit its definition: {fault}")
        found.append((name, json.dumps(arguments, ensure_ascii=False), call["result"]))
    return found
