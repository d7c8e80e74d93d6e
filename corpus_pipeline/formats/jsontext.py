"""JSON text that keeps every number: orjson where it is exact, the standard library where orjson would round or
refuse.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

# orjson reads an integer beyond 64 bits as a float; the shortest such integer has 19 digits
_LONG_NUMBER = re.compile(r"\d{19}")


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON, non-ASCII unescaped. Integers of any size are kept."""
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits, or nesting beyond orjson's limit
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8")


def dumps(value: Any) -> str:
    """As `encode`, as text."""
    return encode(value).decode("utf-8")


def loads(text: str) -> Any:
    """The value of a JSON text that was checked before (see `stages.ingest.parse` for text that was not)."""
    if _LONG_NUMBER.search(text):
        return json.loads(text)
    return orjson.loads(text)
