"""Values that fit a JSON schema, drawn by a hash: what the stand-in puts into fields that a recipe describes."""

from __future__ import annotations

import hashlib
from typing import Any

from corpus_pipeline.llm_stub import prose

_MAX_DEPTH = 8


def sample(schema: Any, salt: str, text: str, depth: int = 0) -> Any:
    """A value for the ordinary keywords; texts are made of `text`."""
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return prose.rewritten(text, salt[:16])
    draw = int(hashlib.sha256(salt.encode()).hexdigest()[:12], 16)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][draw % len(schema["enum"])]
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return sample(schema[word][draw % len(schema[word])], salt, text, depth + 1)
    said = schema.get("type", "string")
    match said if isinstance(said, str) else said[draw % len(said)]:
        case "integer" | "number" as kind:
            return _number(schema, draw, whole=kind == "integer")
        case "boolean":
            return draw % 2 == 0
        case "null":
            return None
        case "array":
            low = schema.get("minItems", 1)
            count = low + draw % (max(low, schema.get("maxItems", low + 2)) - low + 1)
            return [sample(schema.get("items", {}), f"{salt}{n}", text, depth + 1) for n in range(count)]
        case "object":
            own = schema.get("properties", {})
            return {key: sample(part, salt + key, text, depth + 1) for key, part in own.items()}
        case _:
            return _text(schema, salt, text)


def _number(schema: dict[str, Any], draw: int, *, whole: bool) -> int | float:
    low = schema.get(
        "minimum", schema.get("exclusiveMinimum", 0 if "maximum" not in schema else schema["maximum"] - 10)
    )
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 10))
    if whole:
        low, high = int(-(-low // 1)), int(high // 1)
        low += low == schema.get("exclusiveMinimum")
        high -= high == schema.get("exclusiveMaximum")
        return low + draw % (max(0, high - low) + 1)
    return low + (high - low) * (1 + draw % 99) / 100


def _text(schema: dict[str, Any], salt: str, text: str) -> str:
    made = prose.rewritten(text, hashlib.sha256(salt.encode()).hexdigest()[:16])
    while len(made) < schema.get("minLength", 0):
        made += " " + made
    return made[: schema["maxLength"]] if "maxLength" in schema else made
