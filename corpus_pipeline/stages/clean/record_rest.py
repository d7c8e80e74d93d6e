"""The rest of a record: what would be exported beside texts, calls and tools, without what only names the record.

Unknown keys, pictures and other media, typed content parts and keys of messages stay in a row's shape (see
`formats.shape`). What is not understood may be content, so all of it is compared, but for the names in a recipe's
`dedup.record_keys` at the top of the record and of its messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.short_cache import short_cache

# a name of a record that points to media is content after all
_MEDIA = lazily(
    r"\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|mp3|wav|flac|ogg|m4a|mp4|webm|mov|avi|mkv|pdf)(?:[?#].*)?$", re.I
)
_ROLE_KEYS = frozenset({"role", "from"})


@short_cache
def rest_of(shape: str, record_keys: frozenset[str]) -> bytes:
    """The canonical JSON of what a shape holds beside its slots; b"" when there is nothing but form."""
    body = jsontext.loads(shape) if shape else None
    if not body:
        return b""
    record, unknown = body["record"], set(body["extra"])
    paths = [tuple(slot[0]) for slot in body["slots"]]
    outer = {path[:depth] for path in paths for depth in range(len(path))}
    known = {key: value for key, value in record.items() if key not in unknown}
    rest: dict[str, Any] = {key: record[key] for key in sorted(unknown) if _counts(key, record[key], record_keys)}
    left = _pruned(known, (), frozenset(paths), outer, record_keys)
    if not rest and left is None:
        return b""
    return canonical([rest, left])


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and without layout."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def _counts(key: str, value: Any, record_keys: Collection[str]) -> bool:
    """Whether a key of the record or of a message is content."""
    return key not in record_keys or (isinstance(value, str) and _MEDIA.search(value) is not None)


def _pruned(
    value: Any,
    path: tuple[str | int, ...],
    slots: Collection[tuple[str | int, ...]],
    outer: Collection[tuple[str | int, ...]],
    record_keys: Collection[str],
) -> Any:
    """What is left of a known part of the record, None when that is nothing: the values at the slots are in the turns,
    and so are the roles."""
    if path in slots or value is None or value in ("", [], {}):
        return None
    if path not in outer:
        return value if path else None
    if isinstance(value, dict):
        kept = {
            key: left
            for key, inner in value.items()
            if key not in _ROLE_KEYS and _counts(key, inner, record_keys)
            if (left := _pruned(inner, (*path, key), slots, outer, record_keys)) is not None
        }
        if kept == {"type": "text"}:  # the wrapping of a text
            return None
        return kept or None
    if isinstance(value, list):
        found = [_pruned(inner, (*path, index), slots, outer, record_keys) for index, inner in enumerate(value)]
        return {str(index): left for index, left in enumerate(found) if left is not None} or None
    return value
