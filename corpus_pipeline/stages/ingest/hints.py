"""What to do about a file whose records no format reads: the keys that are there, and the mapping to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus_pipeline.formats import FORMATS, GENERAL, Detection, of_plugins
from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.message_lists import is_single_message
from corpus_pipeline.formats.paths import leaves
from corpus_pipeline.formats.vocabulary import keys_by_meaning
from corpus_pipeline.recipe import RECORD_KEYS

_KEYS_SHOWN = 12
_KINDS = {"str": "text", "dict": "object", "int": "number", "float": "number", "bool": "true/false", "NoneType": "null"}
_MEANT = ("prompt", "context", "response", "system", "reasoning", "chosen", "rejected")


def keys_in_words(records: Sequence[Record]) -> str:
    """The keys of records, nested ones as paths, each with what lies there and how often."""
    counts = Counter((place, type(value).__name__) for record in records for place, value in leaves(record))
    shown = [f"{place} ({_KINDS.get(kind, kind)}, {n}x)" for (place, kind), n in counts.most_common(_KEYS_SHOWN)]
    more = len(counts) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more > 0 else "")


def unknown_format(path: Path, records: Sequence[Record], found: Detection) -> str:
    """The refusal of a file whose format was not found."""
    said = (
        f"{path}: no known format fits: {found.problem}.\nKeys in {len(records)} records: {keys_in_words(records)}.\n"
    )
    if sum(is_single_message(record, keys_by_meaning(tuple(record))) for record in records) * 2 > len(records):
        return said + "No mapping can do that: a record has to hold its whole conversation."
    return (
        f"{said}Say in the recipe which key holds what, for example:\n  ingest:\n    columns:\n"
        + "".join(f"      {field}: {_quoted(place)}\n" for field, place in suggested(records).items())
        + f"or name a format with --format: {', '.join([*(format.name for format in (*FORMATS, *GENERAL)), *of_plugins()])}."
    )


def suggested(records: Sequence[Record]) -> dict[str, str]:
    """A mapping to begin with: what the keys say, and for the rest the texts that differ most from record to record."""
    texts: dict[str, set[str]] = {}
    lists: dict[str, Any] = {}
    for record in records:
        for place, value in leaves(record):
            if isinstance(value, str):
                texts.setdefault(place, set()).add(value)
            elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
                lists[place] = value
    columns = _meant(texts)
    rest = [place for place in texts if place not in columns.values() and _last(place) not in RECORD_KEYS]
    rest.sort(key=lambda place: _is_constant(texts[place], len(records)))  # stable: else in the order of the record
    for field in ("prompt", "response"):
        if field not in columns and not (field == "response" and "chosen" in columns):
            columns[field] = rest.pop(0) if rest else "KEY"
    beside = next((place for place in lists if place not in columns.values()), None)
    if beside is not None and "." not in beside and "[" not in beside:
        columns["prompt"] = f"{{{{ {columns['prompt']} }}}}\\n{{{{ {beside} | join('\\n') }}}}"
    return dict(sorted(columns.items(), key=lambda item: _MEANT.index(item[0])))


def _meant(texts: dict[str, set[str]]) -> dict[str, str]:
    last = {place: _last(place) for place in texts}
    meanings = keys_by_meaning(tuple(dict.fromkeys(last.values())))
    columns: dict[str, str] = {}
    for field in _MEANT:
        for key in meanings.get(field, ()):
            place = next((place for place in texts if last[place] == key and place not in columns.values()), None)
            if place is not None and field not in columns:
                columns[field] = place
    if "response" in columns and "chosen" in columns:
        del columns["response"]
    if "chosen" in columns and "rejected" not in columns:
        del columns["chosen"]
    return columns


def _last(place: str) -> str:
    return place.rpartition(".")[2].partition("[")[0]


def _is_constant(values: set[str], records: int) -> bool:
    """Whether a text says the same in most records, or is as short as an identifier."""
    return len(values) * 2 <= records or sum(map(len, values)) < 4 * len(values)


def _quoted(place: str) -> str:
    return f'"{place}"' if place.startswith("{{") else place
