"""What to do about a file whose records no format reads: the keys that are there, and the mapping to write."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import orjson

from corpus_pipeline.formats import FORMATS, GENERAL, Detection, of_plugins
from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.message_lists import is_single_message
from corpus_pipeline.formats.paths import leaves
from corpus_pipeline.formats.vocabulary import keys_by_meaning
from corpus_pipeline.recipe import RECORD_KEYS

_KEYS_SHOWN = 12
_KINDS = {"str": "text", "dict": "object", "int": "number", "float": "number", "bool": "true/false", "NoneType": "null"}
_MEANT = ("prompt", "context", "response", "system", "reasoning", "chosen", "rejected")


def of_columns(record: Record) -> str | None:
    """What to do about the only record of a file when it holds the columns of a table, not a row; None when it does not."""
    lists = [value for value in record.values() if isinstance(value, list)]
    plain = all(isinstance(one, (str, int, float, bool, NoneType)) for value in lists for one in value)
    if plain and len(lists) == len(record) > 1 and len({len(one) for one in lists}) == 1 and len(lists[0]) > 1:
        return f"holds {len(record)} columns of {len(lists[0]):,} values, not rows"
    by_key = [value for value in record.values() if isinstance(value, dict)]
    numbered = all(key.isdigit() for value in by_key for key in value)
    if numbered and len(by_key) == len(record) > 1 and len({tuple(one) for one in by_key}) == 1 and len(by_key[0]) > 1:
        return f"holds {len(record)} columns of {len(by_key[0]):,} values by their number, not rows"
    return None


def of_records_by_key(record: Record) -> str | None:
    """The same when it holds records under keys of their own, such as identifiers."""
    inner = [value for value in record.values() if isinstance(value, dict) and value]
    alike = len(inner) == len(record) > 1 and len({tuple(sorted(one)) for one in inner}) == 1
    return f"holds {len(record):,} records under keys of their own, not in a list" if alike else None


# what a first record is when it is no JSON object, and what makes it one: how it looks, what to say
_ALMOST: tuple[tuple[Callable[[str], bool], str], ...] = (
    (
        lambda text: isinstance(inner := _value(text), list) and bool(inner) and _is_message(inner[0]),
        "its records are bare lists of messages:"
        " jq -c '(if (.[0] | type) == \"array\" then .[] else . end) | {messages: .}' IN > OUT",
    ),
    (lambda text: isinstance(_value(text), list), "its records stand in arrays: jq -c '.[]' IN > OUT"),
    (
        lambda text: isinstance(inner := _value(text), str) and isinstance(_value(inner), dict),
        "its records are JSON inside of texts: jq -c 'if type == \"array\" then .[] else . end | fromjson' IN > OUT",
    ),
    (
        lambda text: text.startswith("{") and _rest(text).startswith("{"),
        "several objects stand on one line: jq -c . IN > OUT",
    ),
    (lambda text: _rest(text) == ",", "its lines end in commas: sed 's/,[[:space:]]*$//' IN > OUT"),
    (lambda text: _is_python(text), "this is Python's notation, not JSON: write it with json.dumps"),
    (
        lambda text: re.match(r"\{\s*[A-Za-z_$][\w$]*\s*:", text) is not None,
        "this is JavaScript's notation (names without quotes), not JSON: write it with JSON.stringify",
    ),
    (
        lambda text: re.match(r"\S+[\t ,|]+\{", text) is not None,
        "something stands before the object in each line: sed 's/^[^{]*//' IN > OUT",
    ),
)


def almost_json(raw: bytes) -> str:
    """What a first record that cannot be read is, and what makes JSON lines of it; "" when that is not known."""
    text = raw.decode("utf-8", "replace").strip()
    return next((f" It seems that {words}." for looks, words in _ALMOST if looks(text)), "")


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _is_message(value: Any) -> bool:
    meanings = keys_by_meaning(tuple(value)) if isinstance(value, dict) else {}
    return bool(meanings.get("role")) and bool(meanings.get("content"))


def _rest(text: str) -> str:
    """What follows the first value."""
    try:
        return text[json.JSONDecoder().raw_decode(text)[1] :].strip()
    except (ValueError, RecursionError):
        return ""


def _is_python(text: str) -> bool:
    try:
        return isinstance(ast.literal_eval(text), dict)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def keys_in_words(records: Sequence[Record]) -> str:
    """The keys of records, nested ones as paths, each with the types of its values and how often."""
    counts = Counter((place, type(value).__name__) for record in records for place, value in leaves(record))
    shown = [f"{place} ({_KINDS.get(kind, kind)}, {n}x)" for (place, kind), n in counts.most_common(_KEYS_SHOWN)]
    more = len(counts) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more > 0 else "")


def _packed(records: Sequence[Record]) -> list[str]:
    """The keys under which every record has an object or a list of objects as a text."""
    keys = [key for key, value in records[0].items() if isinstance(value, str)] if records else []
    return [key for key in keys if all(_holds_objects(_unpacked(record.get(key))) for record in records)]


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _unpacked(value: Any) -> Any:
    return _value(value) if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") else None


def _jq(key: str) -> str:
    return f".{key}" if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else f".[{json.dumps(key)}]"


def unknown_format(path: Path, records: Sequence[Record], found: Detection) -> str:
    """The refusal of a file whose format was not found."""
    said = (
        f"{path}: no known format fits: {found.problem}.\nKeys in {len(records)} records: {keys_in_words(records)}.\n"
    )
    if sum(is_single_message(record, keys_by_meaning(tuple(record))) for record in records) * 2 > len(records):
        return said + "No mapping can do that: a record has to hold its whole conversation."
    if packed := _packed(records):
        steps = " | ".join(f"{_jq(key)} |= fromjson" for key in packed)
        return (
            f"{said}What stands under {', '.join(packed)} is JSON inside of texts. Unpack it (of JSON lines by"
            f" jq -c '{steps}' IN > OUT), then add that."
        )
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
