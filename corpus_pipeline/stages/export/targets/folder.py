"""A folder as export target.

    <root>/<name>/manifest.json             points to the files below .versions
    <root>/<name>/.versions/<sha256>.jsonl  the file under the name of its content
    <root>/<name>/<name>.jsonl              the same file under the name that people and tools expect
    <root>/<name>/README.md                 dataset card of this export
    <root>/<name>/croissant.json            the same for data catalogues
    <root>/dataset_info.json, README.md     cover all exports of the folder

Every file is written under a temporary name, synced, renamed, and its folder synced. The friendly name is a hard link
where the file system has them, else a copy; it changes in one rename, after the manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from corpus_pipeline import file_locks
from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.stages.export import proof
from corpus_pipeline.stages.export.croissant import CROISSANT
from corpus_pipeline.stages.export.dataset_cards import CARD
from corpus_pipeline.stages.export.files import (
    CHUNK,
    create_temporary,
    discard,
    explained,
    name_in,
    opened_folder,
    rename,
    replace_whole,
    sweep,
    sync_folder,
    temporary_path,
    write_all,
    write_whole,
)
from corpus_pipeline.stages.export.manifest import StoredFile, parse, stored_files
from corpus_pipeline.stages.export.targets.base import MANIFEST, Check, OnStep, Target, blocks, file_suffix
from corpus_pipeline.stages.export.writer import FileFacts

_VERSIONS = ".versions"
_LOCK = ".overview.lock"
_ALIASES = (
    *(file_suffix(role, packed) for role in ("data", "not_exportable") for packed in ("none", "gzip")),
    file_suffix("parquet", "none"),
)
_SETTING = "CORPUS_EXPORT_URL"
GRACE_SECONDS = 600.0
_SAME_MOMENT = 2.0  # seconds, the coarsest time of a file system


class FolderTarget(Target):
    """Exports below one folder of a local (or mounted) file system."""

    def __init__(self, root: Path, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """grace_seconds: how long a version that the manifest does not name is kept, for another exporter's sake."""
        self.root = root
        self._grace_seconds = grace_seconds

    def uri(self, path: str) -> str:
        return str(self.root / path)

    def check(self) -> Check:
        try:
            with self._explained():
                self.root.mkdir(parents=True, exist_ok=True)
                sweep(self.root)
                probe = self.root / ".check"
                write_whole(probe, b"written by a check; may be removed\n")
                probe.unlink()
                free = shutil.disk_usage(self.root).free
        except TargetUnavailable as error:
            return Check(False, str(error))
        return Check(True, f"exports go to {self.root}, {free >> 20} MiB free", free_bytes=free)

    def refresh_overview(self) -> list[str]:
        with self._explained(), self._overview_lock():
            return super().refresh_overview()

    def _prepare(self, folder: str) -> list[str]:
        with self._explained():
            for place in (self.root / folder, self.root / folder / _VERSIONS):
                place.mkdir(parents=True, exist_ok=True)
                with opened_folder(self.root, *place.relative_to(self.root).parts):
                    pass  # it is where its name says
            for place in (self.root, self.root / folder, self.root / folder / _VERSIONS):
                sweep(place)
        return []

    def _stored(self, role: str, folder: str, file: FileFacts) -> StoredFile:
        suffix = file_suffix(role, file.compression)
        path, alias = f"{_VERSIONS}/{file.sha256}{suffix}", f"{folder}{suffix}"
        return StoredFile(role, path, alias, file.lines, file.bytes, file.sha256, file.compression)  # type: ignore[arg-type]

    def _put_file(self, folder: str, stored: StoredFile, file: FileFacts, on_step: OnStep) -> None:
        place = self.root / folder / stored.path
        with self._explained():
            if self._damage(folder, stored) is None:
                os.utime(place)  # begins its grace again
                return
            with opened_folder(self.root, folder, _VERSIONS) as within:
                descriptor, temporary = create_temporary(place.parent, "export", within=within)
                try:
                    _copy(file, descriptor)
                    os.fsync(descriptor)
                    on_step(f"{stored.role}.rename.before")
                    rename(temporary, place, within)
                except Exception:
                    discard(temporary, within)
                    raise
                finally:
                    os.close(descriptor)
            sync_folder(place.parent)
        on_step(f"{stored.role}.rename.after")

    def _there(self, folder: str, stored: StoredFile) -> bool:
        return (self.root / folder / stored.path).exists()

    def _is_whole(self, folder: str, stored: StoredFile) -> bool:
        home = self.root / folder
        try:
            written = (home / MANIFEST).stat().st_mtime
            states = {name: (home / name).stat() for name in (stored.path, stored.alias) if name is not None}
            if {state.st_size for state in states.values()} != {stored.bytes}:
                return False
            # the manifest is the youngest file: what was written since is read, for it may hold other bytes
            later = [name for name, state in states.items() if state.st_mtime > written + _SAME_MOMENT]
            return all(self._damage(folder, stored._replace(path=name)) is None for name in later)
        except OSError:
            return False

    def _put(self, path: str, content: bytes) -> None:
        place = self.root / path
        with self._explained():
            if not (place.is_file() and place.read_bytes() == content):
                with opened_folder(self.root, *Path(path).parent.parts) as within:
                    write_whole(place, content, within=within)

    def _put_large(self, path: str, file: FileFacts) -> None:
        place = self.root / path
        with self._explained(), opened_folder(self.root, *Path(path).parent.parts) as within:
            replace_whole(place, lambda descriptor: _copy(file, descriptor), within=within)

    def _tidy(self, folder: str, files: tuple[StoredFile, ...], on_step: OnStep) -> None:
        """Renews the friendly names and removes versions that the manifest no longer names."""
        home = self.root / folder
        with self._explained():
            for file in files:
                if file.alias is not None and not _is_link(home / file.path, home / file.alias):
                    on_step(f"{file.role}.alias.before")
                    with opened_folder(self.root, folder) as within:
                        _link(home, file.path, file.alias, within)
                    on_step(f"{file.role}.alias.after")
            self._remove_old(folder)
            with contextlib.suppress(FileNotFoundError):
                os.utime(home / MANIFEST)  # no file of the export is younger: see `_is_whole`
            sync_folder(home)

    def _remove_old(self, folder: str) -> None:
        """Goes by the manifest as it is now: another exporter may have replaced it since."""
        manifest = self._manifest(folder)
        if manifest is None:
            return
        home, files = self.root / folder, stored_files(manifest)
        versions, aliases = {Path(file.path).name for file in files}, {file.alias for file in files}
        with opened_folder(self.root, folder, _VERSIONS) as within:
            for path in (home / _VERSIONS).glob("[!.]*"):
                with contextlib.suppress(FileNotFoundError):
                    age = time.time() - os.stat(name_in(path, within), dir_fd=within).st_mtime
                    if path.name not in versions and age >= self._grace_seconds:
                        discard(path, within)
        with opened_folder(self.root, folder) as within:
            for suffix in _ALIASES:
                if f"{folder}{suffix}" not in aliases:
                    discard(home / f"{folder}{suffix}", within)

    def _open(self, path: str) -> BinaryIO:
        return (self.root / path).open("rb")

    def _remove(self, path: str) -> bool:
        with self._explained():
            (self.root / path).unlink(missing_ok=True)
            sync_folder((self.root / path).parent)
        return True

    def _take_back(self, folder: str, objects: bool) -> tuple[list[str], list[str]]:
        """The manifest first: who begins with it finds all or nothing. What others put beside our files stays."""
        home, versions = self.root / folder, self.root / folder / _VERSIONS
        own = [home / name for name in (MANIFEST, CROISSANT, CARD, proof.LEAVES, proof.ENVELOPE)]
        own += [home / f"{folder}{suffix}" for suffix in _ALIASES]
        removed = []
        with self._explained():
            own += sorted(versions.glob("*"))
            for path in own:
                if path.is_file():
                    path.unlink(missing_ok=True)
                    removed.append(str(path))
            for place in (versions, home):
                with contextlib.suppress(OSError):  # it holds what is not ours
                    place.rmdir()
        if self.root.exists():
            self.refresh_overview()
        return removed, [f"{home}: files that are not ours lie there"] if home.exists() else []

    def _manifest(self, folder: str) -> dict[str, Any] | None:
        path = self.root / folder / MANIFEST
        try:
            return parse(path.read_bytes(), str(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _manifests(self) -> list[tuple[str, Mapping[str, Any]]]:
        folders = sorted(path.parent.name for path in self.root.glob(f"*/{MANIFEST}"))
        return [(folder, manifest) for folder in folders if (manifest := self._old_manifest(folder)) is not None]

    def _explained(self) -> contextlib.AbstractContextManager[None]:
        return explained(self.root, _SETTING)

    @contextlib.contextmanager
    def _overview_lock(self) -> Iterator[None]:
        """One at a time reads all manifests and writes what follows from them, so that no entry is lost."""
        with file_locks.locked(self.root / _LOCK, mode=0o666):
            yield


def _copy(file: FileFacts, descriptor: int) -> None:
    """Copies a finished part and proves on the way that it is what it was."""
    value = hashlib.sha256()
    with file.path.open("rb") as source:
        for block in blocks(source, CHUNK):
            value.update(block)
            write_all(descriptor, block)
    if value.hexdigest() != file.sha256:
        raise TargetUnavailable(f"{file.path} changed after it was written. Check the disk, then run the export again.")


def _link(home: Path, existing: str, alias: str, within: int | None) -> None:
    """Gives `existing` a second name in one rename, both below `home`, which is open as `within`; a copy where there are no
    hard links."""
    temporary = temporary_path(home, "alias")
    with (home / existing).open("rb") as source:
        # the second name is of this very file: a sweeper leaves what is locked
        file_locks.wait_for(source.fileno(), shared=True)
        try:
            old = home / existing if within is None else existing
            os.link(old, name_in(temporary, within), src_dir_fd=within, dst_dir_fd=within)
        except OSError:
            _second(source, home / alias, within)
            return
        try:
            rename(temporary, home / alias, within)
        finally:
            discard(temporary, within)  # where the alias is this file by now, a rename does nothing


def _second(source: BinaryIO, alias: Path, within: int | None) -> None:
    descriptor, temporary = create_temporary(alias.parent, "alias", within=within)
    try:
        for block in blocks(source, CHUNK):
            write_all(descriptor, block)
        os.fsync(descriptor)
        rename(temporary, alias, within)
    finally:
        os.close(descriptor)


def _is_link(path: Path, alias: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), alias.stat())
    except FileNotFoundError:
        return False
