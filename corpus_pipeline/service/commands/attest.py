"""Proving an export: for each line its source bytes, rules, prompts, models, money and people, signed.

With CORPUS_SIGNING_KEY set the export itself does it, before it is recorded as done; `corpus attest` signs one of before.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs import remote
from corpus_pipeline.jobs.stage_run import Held, Seal
from corpus_pipeline.service.queries import proved_lines
from corpus_pipeline.service.records.base import JsonObject
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.export import proof
from corpus_pipeline.stages.export.manifest import stored_files
from corpus_pipeline.stages.export.targets import Target
from corpus_pipeline.store import Store, audit_log, dataset_files, exports, tasks
from corpus_pipeline.store.dataset_files import DatasetFile

if TYPE_CHECKING:
    from corpus_pipeline.service.corpus import Corpus


def attest(corpus: Corpus, name: str, who: str) -> str:
    """Sign the newest export of a dataset file where it lies; returns its place. Raises UsageError, TargetUnavailable."""
    if corpus.settings.signing_key is None:
        raise UsageError("CORPUS_SIGNING_KEY is not set: `corpus attest --new-key PATH` makes a key")
    key = proof.private_key(corpus.settings.signing_key)
    with corpus.store.read() as connection:
        known = exports.of_file(connection, name)
        if not known:
            raise UsageError(f"{name} has not been exported; run `corpus run {name}`")
        export = exports.by_id(connection, known[-1].id)
        task = tasks.task_by_id(connection, export.task_id)
        file = dataset_files.file_by_id(connection, task.file_id)
    if export.target != corpus.target.uri("") or not corpus.target.holds(name, export.sha256):
        raise UsageError(f"{export.uri} is not what CORPUS_EXPORT_URL holds now; run `corpus run {name}`")
    place = _seal(corpus.store, corpus.target, corpus.settings, key, proved_lines.recorded(export, file, task))
    detail = {"export": export.id, "sha256": export.sha256}
    corpus.store.write(lambda c: audit_log.log(c, who, "attest", name, detail))
    return place


def sealing(settings: Settings) -> Seal | None:
    """What proves and signs an export that was published and is not recorded yet; None without a key. Raises UsageError for
    a key that cannot be used.
    """
    if settings.signing_key is None:
        return None
    key = proof.private_key(settings.signing_key)

    def seal(held: Held, variants: Sequence[Sequence[Any]], lines: int) -> None:
        work = held.work
        assert work.target is not None
        file = held.fetch(dataset_files.file_by_id, work.file.id)
        export = proved_lines.Export(file, work.task, exports.WRITING, lines, variants)
        _seal(work.store, work.target, settings, key, export, held.lease.check)

    return seal


def _seal(
    store: Store,
    target: Target,
    settings: Settings,
    key: Ed25519PrivateKey,
    export: proved_lines.Export,
    on_page: Callable[[], None] = lambda: None,
) -> str:
    """Prove and sign the export of a dataset file that a target holds; returns its place."""
    name = export.file.name
    subject, manifest = target.stored_digests(name), target.manifest(name) or {}
    facts = store.fetch(proved_lines.facts, manifest)
    settings.work_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.work_folder, prefix=".proof-") as folder:
        with _Source(export.file, settings) as source, target.open(name) as stream:
            compressed = any(f.role == "data" and f.compression != "none" for f in stored_files(manifest))
            stored = proof.lines_in(stream, compressed=compressed)
            lines = proved_lines.lines(store, export, on_page)
            leaves = proof.write_leaves(Path(folder) / proof.LEAVES, _leaves(stored, lines, source))
        return target.put_proof(name, leaves.file, proof.signed(subject, facts, leaves, key))


def _leaves(stored: Iterator[bytes], lines: Iterator[proved_lines.Line], source: _Source) -> Iterator[JsonObject]:
    for line, (facts, place) in zip(stored, lines, strict=True):
        origin = {**facts["source"], "bytes_sha256": None if place is None else source.digest(*place)}
        yield {**facts, "sha256": hashlib.sha256(line).hexdigest(), "source": origin}


class _Source:
    """The dataset file as it was registered; of a changed, missing or compressed one no bytes are proved."""

    def __init__(self, file: DatasetFile, settings: Settings) -> None:
        self._file: IO[bytes] | None = None
        place = Path(file.path)
        if remote.is_remote(file.path):
            place = remote.copy_of(file.sha256, settings) or place
        try:
            opened = place.open("rb")
        except OSError:
            return
        if hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256 and opened.seek(0) == 0:
            self._file = None if opened.read(2) == b"\x1f\x8b" else opened
        if self._file is None:
            opened.close()

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def digest(self, offset: int, size: int) -> str | None:
        """The sha256 (hex) of some bytes; None for none."""
        if self._file is None or not size:
            return None
        self._file.seek(offset)
        content = self._file.read(size)
        return hashlib.sha256(content).hexdigest() if len(content) == size else None
