"""What every export target does, and in which order: the files, the manifest, then what covers the whole target."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.stages.export.croissant import CROISSANT, croissant
from corpus_pipeline.stages.export.dataset_cards import CARD, card, overview
from corpus_pipeline.stages.export.files import CHUNK, path_component
from corpus_pipeline.stages.export.manifest import (
    ExportFacts,
    StoredFile,
    build,
    parse,
    same_export,
    stored_files,
)
from corpus_pipeline.stages.export.proof import ENVELOPE, LEAVES
from corpus_pipeline.stages.export.writer import FileFacts

MANIFEST = "manifest.json"
_SUFFIX = {"data": ".jsonl", "not_exportable": ".not_exportable.jsonl", "parquet": ".parquet"}

OnStep = Callable[[str], None]


class Published(NamedTuple):
    """uri: of the data file. changed: False when the target already held exactly this export. notes: for people."""

    uri: str
    manifest_uri: str
    files: tuple[StoredFile, ...]
    changed: bool
    notes: tuple[str, ...] = ()


class Check(NamedTuple):
    """What `corpus doctor` shows. conditional_writes is None where the question does not arise; free_bytes likewise."""

    ok: bool
    sentence: str
    conditional_writes: bool | None = None
    free_bytes: int | None = None


class Damage(NamedTuple):
    """A stored file that is not what its manifest says."""

    path: str
    sentence: str
    missing: bool = False


class Target(ABC):
    """A place that exports are published to. Raises TargetUnavailable; the previous export is then untouched."""

    def publish(
        self,
        facts: ExportFacts,
        data: FileFacts,
        not_exportable: FileFacts | None = None,
        parquet: FileFacts | None = None,
        *,
        refresh: bool = True,
        on_step: OnStep = lambda step: None,
    ) -> Published:
        """Publishes one export: each file under a name that holds its hash, then the manifest, then the overview.

        refresh: whether to renew the overview, which reads every manifest of the target; else `refresh_overview` later.
        on_step is called before and after each step that a reader could see; what it raises stops the publication there
        (a lost lease, a crash drill). The files handed in are read, never moved.
        """
        folder = path_component(facts.name)
        notes = list(self._prepare(folder))
        pairs = [(self._stored("data", folder, data), data)]
        if not_exportable is not None and not_exportable.lines:
            pairs.append((self._stored("not_exportable", folder, not_exportable), not_exportable))
        if parquet is not None:
            pairs.append((self._stored("parquet", folder, parquet), parquet))
        files = tuple(stored for stored, _ in pairs)
        content = build(facts, files)
        changed = not same_export(self._old_manifest(folder), content)
        while True:
            for stored, file in pairs:
                self._put_file(folder, stored, file, on_step)
            if changed:
                on_step("manifest.before")
                self._put(f"{folder}/{MANIFEST}", content)
                on_step("manifest.after")
            if all(self._there(folder, stored) for stored in files):
                break  # else another exporter tidied them away between the two steps
        self._tidy(folder, files, on_step)
        on_step("overview.before")
        manifest = parse(content, MANIFEST)
        self._put(f"{folder}/{CARD}", card([("", manifest)]))
        self._put(f"{folder}/{CROISSANT}", croissant(manifest))
        notes += self.refresh_overview() if refresh else []
        on_step("overview.after")
        uri, manifest_uri = self.uri(f"{folder}/{files[0].alias or files[0].path}"), self.uri(f"{folder}/{MANIFEST}")
        return Published(uri, manifest_uri, files, changed, tuple(notes))

    def manifest(self, name: str) -> dict[str, Any] | None:
        """The parsed manifest of the current export of a dataset file, None when there is none."""
        return self._manifest(path_component(name))

    def manifests(self) -> list[Mapping[str, Any]]:
        """The parsed manifests of all current exports; none where they may not be listed."""
        return [manifest for _, manifest in self._manifests() or ()]

    def exists(self, name: str) -> bool:
        """Whether an export of this dataset file is published."""
        return self.manifest(name) is not None

    def holds(self, name: str, sha256: str) -> bool:
        """Whether the current export of a dataset file is the one with this sha256 of its data file, and all its files are
        there; their content is not read. Raises TargetUnavailable."""
        manifest, folder = self.manifest(name), path_component(name)
        if manifest is None:
            return False
        files = stored_files(manifest)
        if not any(file.role == "data" and file.sha256 == sha256 for file in files):
            return False
        return all(self._is_whole(folder, file) for file in files)

    def open(self, name: str) -> BinaryIO:
        """The data file of the current export as stored, as a stream; close it."""
        manifest = self.manifest(name)
        if manifest is None:
            raise TargetUnavailable(f"no export of '{name}' is in {self.uri('')}. Run `corpus run {name} --to export`.")
        data = next(file for file in stored_files(manifest) if file.role == "data")
        return self._open(f"{path_component(name)}/{data.path}")

    def open_stored(self, name: str, stored: StoredFile) -> BinaryIO:
        """A file of any export of a dataset file, as its manifest names it; close it. Raises FileNotFoundError."""
        return self._open(f"{path_component(name)}/{stored.path}")

    def stored_digests(self, name: str) -> dict[str, str]:
        """The sha256 (hex) of every file of the current export, by its name in the export's folder, as they are now; the
        data file is not read again, for `publish` compared it. Raises TargetUnavailable."""
        folder, manifest = path_component(name), self.manifest(name)
        if manifest is None:
            raise TargetUnavailable(f"no export of '{name}' is in {self.uri('')}. Run `corpus run {name} --to export`.")
        found = {
            path: file.sha256 for file in stored_files(manifest) for path in (file.path, file.alias) if path is not None
        }
        for path in (MANIFEST, CARD, CROISSANT):
            with self._open(f"{folder}/{path}") as stream:
                found[path] = digest(stream)[0]
        return found

    def put_proof(self, name: str, leaves: FileFacts, statement: bytes) -> str:
        """Put the proof of the current export beside it, the statement last; returns the place of the export. Raises
        TargetUnavailable."""
        folder = path_component(name)
        self._put_large(f"{folder}/{LEAVES}", leaves)
        self._put(f"{folder}/{ENVELOPE}", statement)
        return self.uri(folder)

    def verify(self, name: str) -> list[Damage]:
        """Reads every file of the current export back and compares it with its manifest; empty when all is well."""
        manifest, folder = self.manifest(name), path_component(name)
        if manifest is None:
            return [Damage(f"{folder}/{MANIFEST}", "there is no manifest", missing=True)]
        return [damage for file in stored_files(manifest) if (damage := self._damage(folder, file)) is not None]

    def withdraw(self, name: str, files: Sequence[StoredFile]) -> list[tuple[str, str]]:
        """(uri, what became of it) of stored files that must go: `current` (the manifest names it; the next export takes its
        place), `removed`, `absent`, or `there` (this target does not let us remove it)."""
        folder = path_component(name)
        manifest = self._old_manifest(folder)
        named = {file.path for file in stored_files(manifest)} if manifest else set()
        found = []
        for file in files:
            path = f"{folder}/{file.path}"
            if file.path in named:
                state = "current"
            elif not self._is_there(path):
                state = "absent"
            else:
                state = "removed" if self._remove(path) else "there"
            found.append((self.uri(path), state))
        return found

    def take_back(self, name: str, sha256s: Collection[str], *, objects: bool = False) -> tuple[list[str], list[str]]:
        """Remove the published export of a dataset file, which must be one of those with these sha256 of their data files,
        and what names it. Returns (uris that were removed, what stays: one sentence each).

        objects: also where nothing is deleted unless somebody asks for it."""
        folder = path_component(name)
        manifest = self._manifest(folder)
        if manifest is not None and not any(
            file.role == "data" and file.sha256 in sha256s for file in stored_files(manifest)
        ):
            return [], [f"{self.uri(folder)}: the export there is not one of this corpus; it stays"]
        return self._take_back(folder, objects)

    def _take_back(self, folder: str, objects: bool) -> tuple[list[str], list[str]]:
        """As `take_back`, for a folder that is known to be ours."""
        if self._old_manifest(folder) is None:
            return [], []
        return [], [f"{self.uri(folder)}: the export target keeps what was published; delete it there"]

    def _is_there(self, path: str) -> bool:
        try:
            self._open(path).close()
        except FileNotFoundError:
            return False
        return True

    def _remove(self, path: str) -> bool:
        """Removes a stored file that no manifest names. False: this target keeps what was published (its key may not
        delete)."""
        return False

    def refresh_overview(self) -> list[str]:
        """Writes `dataset_info.json` and the card from the manifests in the target; returns notes for people."""
        for path, content in overview(self._manifests() or ()).items():
            self._put(path, content)
        return []

    @abstractmethod
    def uri(self, path: str) -> str:
        """How people and tools name a path of this target."""

    @abstractmethod
    def check(self) -> Check:
        """Whether an export could be written now, tried for real; never raises for what it finds."""

    @abstractmethod
    def _prepare(self, folder: str) -> list[str]:
        """Cleans what dead exporters of this dataset file left; returns notes."""

    @abstractmethod
    def _stored(self, role: str, folder: str, file: FileFacts) -> StoredFile:
        """The names of a file in this target."""

    @abstractmethod
    def _put_file(self, folder: str, stored: StoredFile, file: FileFacts, on_step: OnStep) -> None:
        """Makes the stored file hold exactly the bytes of `file`."""

    @abstractmethod
    def _there(self, folder: str, stored: StoredFile) -> bool:
        """Whether the file still has its name; says nothing of its content."""

    @abstractmethod
    def _is_whole(self, folder: str, stored: StoredFile) -> bool:
        """Whether the file is there under all its names, with as many bytes as the manifest says, and no others were written
        since, as far as its time tells."""

    @abstractmethod
    def _put(self, path: str, content: bytes) -> None:
        """Replaces a small file whole."""

    @abstractmethod
    def _put_large(self, path: str, file: FileFacts) -> None:
        """Replaces a file whole by the bytes of `file`."""

    @abstractmethod
    def _tidy(self, folder: str, files: tuple[StoredFile, ...], on_step: OnStep) -> None:
        """What is left to do once the manifest points to `files`."""

    @abstractmethod
    def _open(self, path: str) -> BinaryIO:
        """A stored file as a stream. Raises FileNotFoundError, TargetUnavailable."""

    @abstractmethod
    def _manifest(self, folder: str) -> dict[str, Any] | None:
        """The parsed manifest in a folder."""

    @abstractmethod
    def _manifests(self) -> list[tuple[str, Mapping[str, Any]]] | None:
        """(folder, manifest) of every export in the target; None when they may not be listed."""

    def _old_manifest(self, folder: str) -> dict[str, Any] | None:
        try:
            return self._manifest(folder)
        except TargetUnavailable:
            return None

    def _damage(self, folder: str, file: StoredFile) -> Damage | None:
        path = f"{folder}/{file.path}"
        try:
            with self._open(path) as stream:
                found, size = digest(stream)
        except FileNotFoundError:
            return Damage(path, "the file is missing", missing=True)
        if (found, size) != (file.sha256, file.bytes):
            return Damage(
                path, f"the file has {size} bytes with sha256 {found}, expected {file.bytes} with {file.sha256}"
            )
        return None


def digest(stream: BinaryIO) -> tuple[str, int]:
    """(sha256 as hex, bytes) of a stream."""
    value, size = hashlib.sha256(), 0
    for block in blocks(stream, CHUNK):
        value.update(block)
        size += len(block)
    return value.hexdigest(), size


def blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The stream in pieces of `size` bytes, the last one shorter."""
    while True:
        block = stream.read(size)
        if not block:
            return
        yield block


def file_suffix(role: str, compression: str) -> str:
    """The end of a stored file's name."""
    return _SUFFIX[role] + (".gz" if compression == "gzip" else "")
