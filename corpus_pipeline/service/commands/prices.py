"""Taking over a price list."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import orjson

from corpus_pipeline.llm.prices import current, read_list
from corpus_pipeline.service.records.calls import PriceUpdate
from corpus_pipeline.settings import Settings
from corpus_pipeline.store import Store, audit_log


def update(store: Store, settings: Settings, file: Path, as_of: date | None, who: str) -> PriceUpdate:
    """Put the list in `file` before the package's. Raises UsageError when it is none."""
    raw = file.read_bytes()
    newer, before = read_list(raw, str(file), as_of=as_of), current(settings.price_file)
    body = orjson.loads(raw)
    body["_list"] = {"source": file.name, **(body.get("_list") or {}), "as_of": newer.as_of.isoformat()}
    _replace(settings.make_home() / settings.price_file.name, orjson.dumps(body))
    same = {name: price for name, price in newer.models.items() if name in before.models}
    said: PriceUpdate = {
        "models": len(newer.models),
        "new": len(newer.models) - len(same),
        "changed": sum(before.models[name] != price for name, price in same.items()),
        "as_of": newer.as_of.isoformat(),
    }
    store.write(lambda c: audit_log.log(c, who, "prices", file.name[:255], said), repeatable=True, name="prices")
    return said


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.touch(mode=0o600)
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
