"""Names of the dataset files that are registered together: no two of one, and the same ones when they are added again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from corpus_pipeline.stages.ingest import identity
from corpus_pipeline.store import Store, dataset_files
from corpus_pipeline.store.dataset_files import DatasetFile

_LIMIT = 64


class Given(NamedTuple):
    """A dataset file that is to be registered; address: where it lies, when `path` is a copy."""

    path: Path
    address: str | None = None

    @property
    def place(self) -> str:
        return self.address or str(self.path.resolve())


def names_for(store: Store, given: Sequence[Given]) -> list[str]:
    """A name for each file. What is registered from a path keeps its name; names that meet get the kind of the file behind
    them (`chats_json`, `chats_jsonl`), or a number.
    """
    files = store.fetch(dataset_files.current_files)
    by_path = {(file.path, file.bytes): file.name for file in files} | {(file.path, -1): file.name for file in files}
    by_name = {file.name: file for file in files}
    bases = [identity.dataset_name(one.path) for one in given]
    found = [_known(by_path, one, base) for one, base in zip(given, bases, strict=True)]
    meeting, taken = Counter(bases), {name for name in found if name is not None}
    for at, (one, base) in enumerate(zip(given, bases, strict=True)):
        if found[at] is None:
            found[at] = _free(one, base, meeting[base] > 1, lambda name: name in taken, by_name)
            taken.add(str(found[at]))
    return [str(name) for name in found]


def _known(by_path: dict[tuple[str, int], str], one: Given, base: str) -> str | None:
    name = by_path.get((one.place, -1))
    return name if name is not None and name.startswith(base[: _LIMIT - 12]) else None


def _free(one: Given, base: str, meets: bool, is_taken: Callable[[str], bool], by_name: dict[str, DatasetFile]) -> str:
    kind = re.sub(r"[^a-z0-9]+", "_", one.path.name.lower()[len(_stem(one.path)) :]).strip("_")
    names = [f"{base[: _LIMIT - len(kind) - 1]}_{kind}"] if meets and kind else [base]
    names += [f"{names[0][: _LIMIT - 4]}-{number}" for number in range(2, 1000)]
    return next((name for name in names if not is_taken(name) and not _is_anothers(by_name.get(name), one)), names[0])


def _stem(path: Path) -> str:
    stem = path.name
    while Path(stem).suffix.lower() in identity.SUFFIXES:
        stem = Path(stem).stem
    return stem


def _is_anothers(known: DatasetFile | None, one: Given) -> bool:
    """Whether a name belongs to another file that still lies where it lay."""
    if known is None or known.path == one.place or not ("://" in known.path or Path(known.path).exists()):
        return False
    return one.path.stat().st_size != known.bytes or identity.identify(one.path).sha256 != known.sha256
