"""Records that lie inside an object of their own, as services hand them out: `{"row_idx": 0, "row": {...}}`."""

from __future__ import annotations

from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.base import Loss, Parsed, Record
from corpus_pipeline.formats.vocabulary import keys_by_meaning, plain_name

# datasets-server, Airtable, Elasticsearch, JSON:API, Firestore, queues, and the like
_NAMES = frozenset(
    "row record fields source attributes document doc item entry sample example datapoint payload properties node hit object"
    " value data json body content input".split()
)
_SAID = frozenset(("system", "prompt", "context", "response", "reasoning", "chosen", "rejected", "messages", "history"))


def enclosed(record: Record) -> str | None:
    """The key under which a record lies in this one; None when no key is known to hold one, or others belong to it."""
    objects = [key for key, value in record.items() if isinstance(value, dict) and value]
    named = objects if len(record) == 1 else [key for key in objects if plain_name(key) in _NAMES]
    if len(named) != 1:
        return None
    beside = [record, *(record[key] for key in objects if key != named[0])]
    says_more = any(
        kind in _SAID and any(key != named[0] for key in keys)
        for one in beside
        for kind, keys in keys_by_meaning(tuple(one)).items()
    )
    return None if says_more else named[0]


def in_its_envelope(record: Record, key: str, inner: Parsed) -> Parsed:
    """What was read of the record under `key` as what was read of the whole, whose other keys stay beside it. Unknown keys of
    both follow the row."""
    body: dict[str, Any] = jsontext.loads(inner.shape)
    beside = [name for name in record if name != key]
    body["record"] = {name: body["record"] if name == key else value for name, value in record.items()}
    body["slots"] = [[[key, *path], *rest] for path, *rest in body["slots"]]
    if "joined" in body:
        body["joined"] = [[key, *path] for path in body["joined"]]
    named = {name: [key, *path] for name, path in body.get("named", {}).items()}
    named |= {name: [key, name] for name in body["extra"] if name not in named and name not in beside}
    if named:
        body["named"] = named
    if any(name in beside for name in body["extra"]):
        body["kept"] = sorted({*body.get("kept", ()), Loss.TOP_KEYS})
    body["extra"] = beside
    return inner._replace(shape=jsontext.dumps(body))
