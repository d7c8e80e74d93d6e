"""`corpus doctor --deep`: everything that the database and the exports hold is read and compared. Nothing is changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from corpus_pipeline.errors import TargetUnavailable
from corpus_pipeline.model import ConversationId, id_range
from corpus_pipeline.service import search_index
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.service.queries.views import address
from corpus_pipeline.stages.clean.dedup import run_cache
from corpus_pipeline.stages.clean.normalize import content_hash, frame_of
from corpus_pipeline.stages.clean.record_rest import rest_of
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import cleaned, cursors, exports, invariants, tasks
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.tasks import Task

Check = tuple[bool, str]

_PAGE = 1_000
_CHUNK = 1 << 20
_MAX_NAMED = 5  # rows or cases in one sentence
_RESTORE = "Restore a backup of the database (docs/operating.md, Checking everything)"
_REPORT = f"{_RESTORE}; where no disk failed and nobody changed it by hand, it is a fault of the program: report it"


def database(corpus: Corpus) -> Check:
    """What the database itself says of its pages, indexes, constraints and references."""
    found = corpus.store.fetch(corpus.store.backend.damage)
    if not found:
        return True, "every page, index and reference is as it should be"
    return False, f"{_some(found)}. {_RESTORE}"


def records(corpus: Corpus) -> Check:
    """What must hold between tables: counts, cursors, verdicts, new rows, the ledger and its sums, exports, purges."""
    found = corpus.store.fetch(lambda c: invariants.violations(c, at_rest=False))
    if not found:
        return True, f"all {invariants.count()} rules between tables hold"
    return False, f"{_some(found)}. {_REPORT}"


def texts(corpus: Corpus) -> Check:
    """Whether each row that cleaning kept has the text that its hash was taken of."""
    checked, wrong, other_version = 0, list[str](), list[str]()
    for file, task in corpus.store.fetch(tasks.current_tasks):
        if task is None or not _is_clean(corpus, task):
            continue
        own, differing = _compared(corpus, file, task)
        if own and len(differing) == own > 1:  # no one changes every row: the normal form is of another version
            other_version.append(file.name)
        else:
            checked, wrong = checked + own, wrong + differing
    note = f"; {', '.join(other_version)}: cleaned by another version, not compared" if other_version else ""
    if not wrong:
        return True, f"{checked:,} rows have the text that their hash says{note}"
    return (
        False,
        f"{len(wrong):,} of {checked:,} rows have another text than their hash says: {_some(wrong)}{note}. {_RESTORE}",
    )


def _is_clean(corpus: Corpus, task: Task) -> bool:
    own = corpus.store.fetch(cursors.stage_cursors, task.id, Stage.CLEAN)
    return bool(own) and cursors.stage_status(own) is Status.DONE


def _compared(corpus: Corpus, file: DatasetFile, task: Task) -> tuple[int, list[str]]:
    """(rows that were looked at, those whose text is another one)."""
    keys = frozenset(corpus.recipe_of(file).clean.dedup.record_keys)
    after, end = id_range(file.id)
    checked, wrong = 0, list[str]()
    while True:
        try:
            page = corpus.store.fetch(cleaned.kept_page, task.id, after, end, _PAGE)
        except KeyError as gone:  # a row without its turns: the rest of the file is not compared
            return checked, [*wrong, f"{address(file.name, ConversationId(gone.args[0]))} (its turns are gone)"]
        if not page:
            return checked, wrong
        after = page[-1].id
        checked += len(page)
        for row in page:
            turns, tools, shape = row.conversation.turns, row.conversation.tools, row.conversation.shape
            frame = frame_of(turns, tools, b"" if shape is None else rest_of(shape, keys))
            if content_hash(turns, frame) != row.content_hash:
                wrong.append(address(file.name, row.id))


def sources(corpus: Corpus) -> Check:
    """Whether dataset files that lie on this machine still have the bytes that were registered."""
    same, changed, elsewhere = 0, list[str](), 0
    for file in corpus.files():
        path = Path(file.path)
        if not path.is_file():
            elsewhere += 1
        elif _has_changed(path, file):
            changed.append(file.path)
        else:
            same += 1
    note = f"; {elsewhere} not on this machine" if elsewhere else ""
    if not changed:
        return True, f"{same} dataset files have the bytes that were registered{note}"
    return False, (
        f"{_some(changed)}: not the bytes that were registered{note}. Bring them back, or take them in as a new version:"
        " corpus add PATH --replace"
    )


def published(corpus: Corpus) -> Check:
    """Whether the data file of each current export has the bytes that were written."""
    good, bad = 0, list[str]()
    here = corpus.target.uri("")
    for row in corpus.store.fetch(lambda c: exports.listed(c, only_current=True)):
        if row.target != here:
            continue
        try:
            with corpus.target.open(row.file_name) as file:
                digest = _digest(file)
        except (TargetUnavailable, OSError):
            bad.append(f"{row.uri} cannot be read")
            continue
        if digest == row.sha256:
            good += 1
        else:
            bad.append(f"{row.uri} has other bytes")
    if not bad:
        return True, f"{good} exports have the bytes that were written"
    return False, f"{_some(bad)}. Delete what is there and write it again: corpus run NAME"


def indexes(corpus: Corpus) -> Check:
    """Whether each block of the search index is as it was written. One that is not is passed over: searches take longer."""
    found = search_index.damaged(corpus.store, corpus.settings.search_folder)
    if not found:
        return True, "every block of the search index is as it was written"
    return False, f"{_some(found)}: not as it was written; rows there are looked through. Make it again: corpus index"


def comparisons(corpus: Corpus) -> Check:
    """Whether what corpus-scope deduplication keeps of other files is as it was written. What is not is not used."""
    count, found = run_cache.damaged(corpus.settings.work_folder)
    if not found:
        return True, f"{count} kept comparisons are as they were written"
    return False, f"{_some([str(path) for path in found])}: not as written. Delete them; the next run makes them again"


def _has_changed(path: Path, file: DatasetFile) -> bool:
    with path.open("rb") as source:
        return _digest(source) != file.sha256


def _digest(file: BinaryIO) -> str:
    """The sha256 of a stream; an object store's has no `readinto`, which `hashlib.file_digest` wants."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _some(found: list[str]) -> str:
    more = f"; and {len(found) - _MAX_NAMED:,} more" if len(found) > _MAX_NAMED else ""
    return "; ".join(found[:_MAX_NAMED]) + more


CHECKS = {
    "deep: database": database,
    "deep: records": records,
    "deep: texts": texts,
    "deep: sources": sources,
    "deep: exports": published,
    "deep: search index": indexes,
    "deep: comparisons": comparisons,
}
