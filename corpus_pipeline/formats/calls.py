"""Tool calls and tool definitions: the notations in which they are found, and the two in which they are written.

A call is found as `{"id", "type": "function", "function": {"name", "arguments"}}` (OpenAI), bare as `{"name",
"arguments"}` (sharegpt and others), or as JSON text of the bare form. `arguments` is JSON text at OpenAI and an
object elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from corpus_pipeline.formats import jsontext
from corpus_pipeline.lazy_patterns import lazily

# the notations of calls in a JSON text, tried in this order: (escape non-ASCII, separators)
_STYLES: tuple[tuple[bool, tuple[str, str]], ...] = (
    (False, (", ", ": ")),
    (True, (", ", ": ")),
    (False, (",", ":")),
    (True, (",", ":")),
)
AS_VALUE = -1  # the call lies in the record as a value, not as text


def _styled(value: Any, style: int) -> str:
    ascii_only, separators = _STYLES[style]
    return jsontext.styled(value, ascii_only=ascii_only, separators=separators)


def read_calls_text(text: str) -> tuple[list[Any], list[Any] | None] | None:
    """Calls from JSON text of one bare call or a list of them, with the way to write the same text again.

    Returns (calls, [single, style]); the second is None when no style gives the same text; None when these are no
    calls.
    """
    try:
        value = jsontext.loads(text)
    except (ValueError, RecursionError):
        return None
    single = isinstance(value, dict)
    calls = [value] if single else value
    if not isinstance(calls, list) or not calls or not all(is_bare_call(call) for call in calls):
        return None
    try:
        for style in range(len(_STYLES)):
            if _styled(value, style) == text:
                text.encode("utf-8")
                jsontext.dumps(value).encode("utf-8")
                return calls, [single, style]
        jsontext.dumps(value).encode("utf-8")
    except ValueError:  # an escaped lone surrogate or NaN inside: not to be taken apart
        return None
    return calls, None


def calls_text(calls: Sequence[Any], how: Sequence[Any]) -> str | None:
    """The inverse of `read_calls_text`; None when the calls do not fit the notation any more."""
    single, style = how
    if single and len(calls) != 1:
        return None
    return _styled(calls[0] if single else list(calls), style)


def call_value(calls: Sequence[Any], index: int, style: int) -> bytes | None:
    """One call of a content part, as JSON value (`AS_VALUE`) or as JSON text in a string."""
    if index >= len(calls):
        return None
    if style == AS_VALUE:
        return jsontext.encode(calls[index])
    return orjson.dumps(_styled(calls[index], style))


def is_bare_call(call: Any) -> bool:
    """Whether this is `{"name": str, "arguments": ...}`."""
    return isinstance(call, dict) and isinstance(call.get("name"), str) and "arguments" in call


def is_call(call: Any) -> bool:
    """Whether this is a call in any of the notations."""
    return is_bare_call(call) or (isinstance(call, dict) and isinstance(call.get("function"), dict))


def bare(call: dict[str, Any], *, text_arguments: bool) -> dict[str, Any] | None:
    """`{"name", "arguments"}` of a call with arguments as JSON text or as a value; None when they cannot be had so."""
    function = call["function"] if isinstance(call.get("function"), dict) else call
    name, arguments = function.get("name"), function.get("arguments", {})
    if not isinstance(name, str):
        return None
    if text_arguments:
        return {"name": name, "arguments": arguments if isinstance(arguments, str) else jsontext.dumps(arguments)}
    if isinstance(arguments, str):
        try:
            arguments = jsontext.loads(arguments or "{}")
            jsontext.dumps(arguments).encode("utf-8")
        except (ValueError, RecursionError):
            return None
    return {"name": name, "arguments": arguments} if isinstance(arguments, dict) else None


def wrapped(call: dict[str, Any], default_id: str | None, *, text_arguments: bool) -> dict[str, Any] | None:
    """The OpenAI notation of a call, with `default_id` if it has no id of its own.

    None when its arguments are not what the notation wants.
    """
    function = bare(call, text_arguments=text_arguments)
    if function is None:
        return None
    identifier = call.get("id", default_id)
    named = {"id": identifier} if isinstance(identifier, str) else {}
    return {**named, "type": "function", "function": function}


def wrapped_tools(tools: str) -> list[Any] | None:
    """Tool definitions as OpenAI takes them, `{"type": "function", "function": {...}}`; None when the text holds no
    list.
    """
    found = _tool_list(tools)
    if found is None:
        return None
    return [_wrapped_tool(tool) for tool in found]


def bare_tools(tools: str) -> str | None:
    """Tool definitions as LLaMA-Factory's sharegpt takes them: JSON text of a list of bare functions."""
    found = _tool_list(tools)
    if found is None:
        return None
    whole = [_wrapped_tool(tool) for tool in found]
    return jsontext.dumps([tool["function"] if set(tool) == {"type", "function"} else tool for tool in whole])


def _wrapped_tool(tool: dict[str, Any]) -> dict[str, Any]:
    if _is_bare_tool(tool):  # of OpenAI's responses and of Anthropic it may say its type
        typed = tool.get("type") in ("function", "custom")
        bare = {key: value for key, value in tool.items() if key != "type"} if typed else tool
        return {"type": "function", "function": _function(bare)}
    function = tool.get("function")
    return {**tool, "function": _function(function)} if isinstance(function, dict) else tool


def _is_bare_tool(tool: dict[str, Any]) -> bool:
    return "function" not in tool and isinstance(tool.get("name"), str)


def _declared(tool: dict[str, Any]) -> list[Any]:
    """The functions that Gemini declares in one tool, or the tool itself."""
    for key in ("functionDeclarations", "function_declarations"):
        if set(tool) == {key} and isinstance(tool[key], list):
            return list(tool[key])
    return [tool]


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    """A function with JSON schema under `parameters`: Anthropic says input_schema, and xLAM lists its arguments by name."""
    found = dict(tool)
    if isinstance(found.get("input_schema"), dict) and "parameters" not in found:
        found = {"parameters" if key == "input_schema" else key: value for key, value in found.items()}
    arguments = found.get("parameters")
    if not isinstance(arguments, dict):
        return found
    listed = bool(arguments) and all(_is_argument(one) for one in arguments.values())
    schema = _schema(arguments) if listed else _with_json_types(arguments)
    required = found.get("required")
    if isinstance(required, list) and (listed or "required" not in schema):  # beside the schema instead of in it
        names = schema.get("properties") or ()
        if all(isinstance(name, str) and name in names for name in required):
            del found["required"]
            schema = {**schema, "required": required}
    if found.get("required", 0) is None:
        del found["required"]
    found["parameters"] = schema
    return found


def _with_json_types(schema: Any) -> Any:
    """A JSON schema whose types have the names of Python, as those of BFCL and ToolBench, or of Gemini, under the names of
    JSON."""
    if isinstance(schema, list):
        return [_with_json_types(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str) and (value in _PYTHON_NAMES or value in _GEMINI_NAMES):
            if (name := _JSON_TYPES[value.lower()]) is not None:
                found[key] = name
        elif key in ("properties", "items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            found[key] = (
                {name: _with_json_types(one) for name, one in value.items()}
                if key == "properties" and isinstance(value, dict)
                else _with_json_types(value)
            )
        else:
            found[key] = value
    return found


_JSON_TYPES = {
    "str": "string", "string": "string", "int": "integer", "integer": "integer", "float": "number", "number": "number",
    "bool": "boolean", "boolean": "boolean", "list": "array", "array": "array", "tuple": "array", "set": "array",
    "dict": "object", "object": "object", "any": None,
}  # fmt: skip
_PYTHON_NAMES = frozenset(("str", "int", "float", "bool", "list", "tuple", "set", "dict", "any"))
_GEMINI_NAMES = frozenset(("STRING", "INTEGER", "NUMBER", "BOOLEAN", "ARRAY", "OBJECT"))
_PYTHON_TYPE = lazily(r"(?:optional\[)?([a-z]+)(?:\[.*)?(?:\])?(?:,\s*(?:optional|default.*))?", re.I | re.S)


def _is_argument(one: Any) -> bool:
    """Whether this describes an argument in the notation of Python: `{"type": "str, optional", ...}`."""
    kind = one.get("type") if isinstance(one, dict) else None
    match = _PYTHON_TYPE.fullmatch(kind) if isinstance(kind, str) else None
    return match is not None and match[1].lower() in _JSON_TYPES


def _schema(arguments: dict[str, Any]) -> dict[str, Any]:
    properties, required = {}, []
    for name, one in arguments.items():
        match = _PYTHON_TYPE.fullmatch(one["type"])
        assert match is not None
        kind = _JSON_TYPES[match[1].lower()]
        rest = {key: value for key, value in one.items() if key not in ("type", "required")}
        properties[name] = ({} if kind is None else {"type": kind}) | rest
        if "optional" not in one["type"].lower() and "default" not in one and one.get("required") is not False:
            required.append(name)
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _tool_list(tools: str) -> list[dict[str, Any]] | None:
    try:
        found = jsontext.loads(tools)
        jsontext.dumps(found).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        found = [found]
    if isinstance(found, list) and all(isinstance(tool, dict) for tool in found):
        found = [inner for tool in found for inner in _declared(tool)]
    return found if isinstance(found, list) and found and all(isinstance(tool, dict) for tool in found) else None
