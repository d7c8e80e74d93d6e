"""`manifest.json`: what an export is, where its rows came from, and the hashes by which a reader can check it.

A manifest is made from facts that are handed in. Nothing here asks for the time, the host or the environment, so the
same facts give the same bytes. A publication writes it after the files: who starts reading at the manifest never sees
half an export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from corpus_pipeline.errors import TargetUnavailable

MANIFEST_VERSION = 1
Role = Literal["data", "not_exportable", "parquet"]


class StoredFile(NamedTuple):
    """A file of an export in its target.

    path: relative to the export's own folder; so is `alias`, the friendly name, None where there is none.
    bytes, sha256 (hex): of the file as stored. compression: "none" or "gzip".
    """

    role: Role
    path: str
    alias: str | None
    lines: int
    bytes: int
    sha256: str
    compression: str


@dataclass(frozen=True)
class ExportFacts:
    """What the manifest tells beside the files; every value is JSON-able.

    stage_counts: stage -> word -> rows. drop_reasons: reason word -> rows.
    personal_data: `found` (kind -> place -> stand-ins in the rows that were kept), and what no rule looked at.
    tags: tag -> rows that have it.
    left_behind_by_tag: kept rows that the recipe's tags keep from the export.
    left_behind: rows and new rows that the recipe chose not to export: `tags`, `judged_bad`, `repeats`,
    `enough`, or the value that decided -> rows.
    models: strategy -> model name.
    prompt_versions: strategy -> version. rows_by_origin, losses, not_exportable: see `selection.Encoded`.
    tolerated: see `gate.tolerated`. account: where every line and row went, as a sum.
    created: ISO time in UTC from the database, or None.
    llama_factory, llama_factory_why: see `llama_factory.Entry` (`file_name` is set again).
    parquet_as_text: see `parquet.Columns`.
    features: see `features.Features.columns`; guessable, unloadable: see there.
    """

    name: str
    source_sha256: str
    source_bytes: int
    source_format: str
    export_format: str
    recipe_name: str
    recipe_version: str
    stage_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    drop_reasons: Mapping[str, int] = field(default_factory=dict)
    personal_data: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
    left_behind_by_tag: int = 0
    left_behind: Mapping[str, int] = field(default_factory=dict)
    rows_by_origin: Mapping[str, int] = field(default_factory=dict)
    losses: Mapping[str, int] = field(default_factory=dict)
    not_exportable: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    prompt_versions: Mapping[str, str] = field(default_factory=dict)
    tolerated: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    created: str | None = None
    llama_factory: Mapping[str, Any] | None = None
    llama_factory_why: str | None = None
    parquet_as_text: Mapping[str, int] = field(default_factory=dict)
    features: Sequence[Mapping[str, Any]] = ()
    guessable: bool = True
    unloadable: str = ""


def build(facts: ExportFacts, files: Sequence[StoredFile]) -> bytes:
    """The manifest as JSON text with sorted keys and a line end."""
    body = {
        "manifest_version": MANIFEST_VERSION,
        "name": facts.name,
        "created": facts.created,
        "source": {"sha256": facts.source_sha256, "bytes": facts.source_bytes, "format": facts.source_format},
        "recipe": {"name": facts.recipe_name, "version": facts.recipe_version},
        "format": facts.export_format,
        "files": [file._asdict() for file in files],
        "stages": facts.stage_counts,
        "drop_reasons": facts.drop_reasons,
        "personal_data": facts.personal_data,
        "tags": facts.tags,
        "left_behind_by_tag": facts.left_behind_by_tag,
        "left_behind": facts.left_behind,
        "rows_by_origin": facts.rows_by_origin,
        "losses": facts.losses,
        "not_exportable": facts.not_exportable,
        "models": facts.models,
        "prompt_versions": facts.prompt_versions,
        "tolerated": facts.tolerated,
        "account": facts.account,
        "llama_factory": facts.llama_factory,
        "llama_factory_why": facts.llama_factory_why,
        **({"parquet_as_text": facts.parquet_as_text} if facts.parquet_as_text else {}),
        "features": facts.features,
        "guessable": facts.guessable,
        **({"unloadable": facts.unloadable} if facts.unloadable else {}),
    }
    return to_json(body)


def to_json(body: Any) -> bytes:
    """Indented JSON with sorted keys and a line end: the same value, the same bytes."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def parse(content: bytes, origin: str) -> dict[str, Any]:
    """A manifest from its bytes. Raises TargetUnavailable naming `origin` when it is none of ours."""
    try:
        body = orjson.loads(content)
        if body["manifest_version"] != MANIFEST_VERSION:
            raise ValueError(f"manifest_version is {body['manifest_version']}, this program reads {MANIFEST_VERSION}")
        stored_files(body)
        return body
    except (ValueError, KeyError, TypeError) as error:
        raise TargetUnavailable(
            f"{origin} is no manifest that this program can read ({error})."
            " Move it away, or choose another CORPUS_EXPORT_URL, then run the export again."
        ) from error


def stored_files(body: Mapping[str, Any]) -> list[StoredFile]:
    """The files that a parsed manifest lists."""
    return [StoredFile(**file) for file in body["files"]]


def data_sha256(body: Mapping[str, Any]) -> str | None:
    """The sha256 (hex) of the data file that a parsed manifest lists."""
    return next((file.sha256 for file in stored_files(body) if file.role == "data"), None)


def same_export(old: Mapping[str, Any] | None, new: bytes) -> bool:
    """Whether a manifest says the same as a new one but for the time at which it was made."""
    return old is not None and {**old, "created": None} == {**orjson.loads(new), "created": None}
