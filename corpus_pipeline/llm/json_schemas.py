"""JSON schemas as endpoints take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether an endpoint takes a schema as a strict one: every object is closed and requires all that it names."""
    parts: list[Any] = [schema]
    while parts:
        part = parts.pop()
        if isinstance(part, Mapping):
            if "properties" in part and (
                part.get("additionalProperties", True) is not False
                or set(part.get("required", ())) != set(part["properties"])
            ):
                return False
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)
    return True
