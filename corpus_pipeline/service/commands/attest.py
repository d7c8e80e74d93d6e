"""Proving an export: for each line its source bytes, rules, prompts, models, money and people, signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs import remote
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.service.queries import lineage
from corpus_pipeline.service.records.base import JsonObject
from corpus_pipeline.service.records.exports import LineSource, LineStep
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.export import proof
from corpus_pipeline.store import audit_log, exports, purges

_OF_CALL = ("model", "model_answered", "prompt_version", "request_key", "input_tokens", "output_tokens", "cost_usd")
_OF_SOURCE = ("sha256", "row", "line", "byte_offset", "bytes")


def attest(corpus: Corpus, name: str, who: str) -> Path:
    """Sign the newest export of a dataset file where it lies; returns its folder. Raises UsageError."""
    if corpus.settings.signing_key is None:
        raise UsageError("CORPUS_SIGNING_KEY is not set: `corpus attest --new-key PATH` makes a key")
    key = proof.private_key(corpus.settings.signing_key)
    places = corpus.export_places(name)
    if not places:
        raise UsageError(f"{name} has not been exported; run `corpus run {name}`")
    path = Path(places[-1])
    if "://" in places[-1] or not path.is_file():
        raise UsageError(f"{places[-1]} is no file of this machine: only exports in a folder are signed")
    with corpus.store.read() as connection:
        export = exports.by_id(connection, exports.of_file(connection, name)[-1].id)
        leaves = _leaves(connection, export, path, corpus.settings)
        proof.write(path.parent, leaves, _facts(connection, export), key)
    detail = {"export": export.id, "sha256": export.sha256}
    corpus.store.write(lambda c: audit_log.log(c, who, "attest", name, detail))
    return path.parent


def _facts(connection: Connection, export: Row) -> JsonObject:
    manifest = orjson.loads(export.manifest)
    source = manifest["source"]["sha256"]
    return {
        "name": manifest["name"],
        "recipe": manifest["recipe"],
        "source": manifest["source"],
        "created": manifest["created"],
        # where they stood, never what they said
        "purged_rows": purges.numbers_of(connection, source),
    }


def _leaves(connection: Connection, export: Row, path: Path, settings: Settings) -> Iterator[JsonObject]:
    source = _Source(lineage.trace_export(connection, export.id, 1)["source"], settings) if export.lines else None
    for number, line in enumerate(proof.lines_of(path), start=1):
        found = lineage.trace_export(connection, export.id, number)
        yield {
            "line": number,
            "sha256": hashlib.sha256(line).hexdigest(),
            "row": found["row"],
            "source": {
                **{key: value for key, value in found["source"].items() if key in _OF_SOURCE},
                "bytes_sha256": source.digest(found["source"]) if source else None,
            },
            **_made(found["steps"]),
            "people": [{"at": one["at"], "who": one["who"], "action": one["action"]} for one in found["people"]],
        }
    if source:
        source.close()


def _made(steps: list[LineStep]) -> JsonObject:
    """Rules, prompts, models and money of a line."""
    clean = next(step for step in steps if step["stage"] == "clean")
    augment = next((step for step in steps if step["stage"] == "augment"), None)
    calls = augment["calls"] if augment else []
    return {
        "recipe_version": clean["recipe_version"],
        "rules": sorted({change["rule"] for change in clean["changes"]}),
        "strategy": augment["strategy"] if augment else None,
        "model": augment["model"] if augment else None,
        "prompt_version": augment["prompt_version"] if augment else None,
        "calls": [{key: value for key, value in call.items() if key in _OF_CALL} for call in calls],
        "cost_usd": augment["cost_usd"] if augment else 0,
    }


class _Source:
    """The dataset file as it was registered; of a changed, missing or compressed one no bytes are proved."""

    def __init__(self, source: LineSource, settings: Settings) -> None:
        self._file: IO[bytes] | None = None
        place = Path(source["file"])
        if remote.is_remote(source["file"]):
            place = remote.copy_of(source["sha256"], settings) or place
        try:
            file = place.open("rb")
        except OSError:
            return
        if hashlib.file_digest(file, "sha256").hexdigest() == source["sha256"] and file.seek(0) == 0:
            self._file = None if file.read(2) == b"\x1f\x8b" else file

    def digest(self, source: LineSource) -> str | None:
        if self._file is None or source["byte_offset"] is None or not source["bytes"]:
            return None
        self._file.seek(source["byte_offset"])
        content = self._file.read(source["bytes"])
        return hashlib.sha256(content).hexdigest() if len(content) == source["bytes"] else None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
