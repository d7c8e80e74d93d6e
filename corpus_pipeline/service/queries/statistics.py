"""Statistics of a dataset file: counted in short reads, or estimated from some rows of all over it while that goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Connection
from typing_extensions import TypedDict

from corpus_pipeline.model import TaskId, Turn, id_range, split_id
from corpus_pipeline.service.records.statistics import (
    Cluster,
    ClusterSize,
    FileStatistics,
    ValueBin,
    ValueSpread,
)
from corpus_pipeline.stages.clean.rules.language import detect
from corpus_pipeline.states import RowState
from corpus_pipeline.store import Store, dataset_files, row_values, rows, statistics, tasks
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.tasks import Task

_STEP = 5_000  # rows that one read counts: readers of SQLite keep writers waiting
_PLACES, _ROWS, _READ = 40, 500, 8  # that an estimate looks at; rows of each whose language is detected
_SAMPLE, _SAMPLE_CHARACTERS = 300, 1500  # rows whose language is looked at, and how far into each
_LARGEST = 15
_MANY = 200_000  # rows whose count takes more than a moment

Range = tuple[int, int]  # (after, last) of ids


class _Clusters(TypedDict):
    clusters: list[ClusterSize]
    largest: list[Cluster]


class _Sums:
    """What the rows of some ranges add up to."""

    def __init__(self, task: Task | None) -> None:
        self._task = task
        self.verdicts = self.characters = self.conversations = 0
        self.lengths = Counter[tuple[int, bool]]()
        self.languages = Counter[str | None]()
        self.reasons = Counter[str]()
        self.turns = Counter[int]()
        self.keepers = list[np.ndarray]()

    def add(self, connection: Connection, between: Range) -> None:
        turns = statistics.turns(connection, *between)
        self.turns.update(turns)
        self.conversations += sum(turns.values())
        if self._task is None:
            return
        for group in statistics.verdicts(connection, self._task.id, *between):
            self.verdicts += group.rows
            self.characters += group.characters
            self.lengths[group.length, group.state == RowState.KEPT] += group.rows
            self.languages[group.language] += group.rows
            if group.reason is not None:
                self.reasons[group.reason] += group.rows
        repeats = statistics.repeats(connection, self._task.id, *between)
        self.reasons.update(f"{kind}_duplicate" for kind, _ in repeats)
        self.keepers.append(np.array([keeper for _, keeper in repeats], dtype=np.int64))

    def clusters(self, file: DatasetFile) -> _Clusters:
        """Clusters by size, and the kept rows that most others repeat."""
        keepers, repeats = np.unique(np.concatenate(self.keepers or [np.empty(0, np.int64)]), return_counts=True)
        sizes, counts = np.unique(repeats, return_counts=True)
        most = np.lexsort((keepers, -repeats))[:_LARGEST]
        return {
            "clusters": [{"size": int(n) + 1, "clusters": int(c)} for n, c in zip(sizes, counts, strict=True)],
            "largest": [
                {"number": split_id(keeper)[1], "own": split_id(keeper)[0] == file.id, "repeats": count}
                for keeper, count in zip(keepers[most].tolist(), repeats[most].tolist(), strict=True)
            ],
        }


def file_statistics(store: Store, name: str) -> FileStatistics:
    """Statistics that are counted from the rows now, in many short reads.

    languages_of: how many rows were looked at for their language when cleaning did not tell it, else None. estimated_from:
    None, see `estimate`.
    """
    file, task = store.fetch(lambda c: tasks.current_tasks(c, [name])[0])
    sums = _Sums(task)
    first, last = store.fetch(_range, file)
    for after in range(first, last, _STEP):
        store.fetch(sums.add, (after, min(after + _STEP, last)))
    some = store.fetch(statistics.spread, file.id, _SAMPLE)
    found = store.fetch(_told, file, task, sums, 1.0, some)
    if task is None:
        return found
    return {**found, "values": store.fetch(_values, task.id), **sums.clusters(file)}


def estimate(connection: Connection, name: str) -> FileStatistics:
    """The same, from some rows in places all over the file. estimated_from: how many; clusters and largest are None."""
    file, task = tasks.current_tasks(connection, [name])[0]
    sums, some = _Sums(task), list[int]()
    for after, last in _places(*_range(connection, file)):
        sums.add(connection, (after, last))
        some += range(after + 1, min(after + _READ, last) + 1)
    scale = (file.conversations or sums.conversations) / max(1, sums.conversations)
    found = _told(connection, file, task, sums, scale, some)
    return {**found, "values": None, "clusters": None, "largest": None, "estimated_from": sums.conversations}


def takes_long(connection: Connection, name: str) -> bool:
    """Whether no one wants to wait for a count of these rows."""
    (file,) = dataset_files.current_files(connection, [name])
    return (file.conversations or 0) > _MANY


def _range(connection: Connection, file: DatasetFile) -> Range:
    return id_range(file.id)[0], rows.last_id(connection, file.id) or id_range(file.id)[0]


def _places(first: int, last: int) -> Iterator[Range]:
    step = max(_ROWS, (last - first) // _PLACES)
    return ((after, min(after + _ROWS, last)) for after in range(first, last, step))


def _told(
    connection: Connection, file: DatasetFile, task: Task | None, sums: _Sums, scale: float, some: Sequence[int]
) -> FileStatistics:
    def times(count: int) -> int:
        return round(count * scale)

    found: FileStatistics = {
        "name": file.name,
        "conversations": file.conversations,
        "estimated_from": None,
        "turns": [
            {"upto": upto, "rows": times(sums.turns[number])} for number, upto in enumerate((*statistics.TURNS, None))
        ],
    }
    if task is None:
        return found
    languages, sampled = sums.languages, None
    if all(word is None for word in languages):  # the recipe does not ask for it: a look at some rows tells enough
        languages, sampled = _languages_of(connection, some)
    return {
        **found,
        "rows": times(sums.verdicts),
        "characters": times(sums.characters),
        "mean_characters": sums.characters / sums.verdicts if sums.verdicts else None,
        "lengths": [
            {"upto": upto, "kept": times(sums.lengths[number, True]), "dropped": times(sums.lengths[number, False])}
            for number, upto in enumerate((*statistics.LENGTHS, None))
        ],
        "languages": [
            {"language": word, "rows": times(count) if sampled is None else count}
            for word, count in sorted(languages.items(), key=lambda one: (-one[1], one[0] or ""))
        ],
        "languages_of": sampled,
        "drop_reasons": {word: times(count) for word, count in sums.reasons.most_common()},
    }


def _values(connection: Connection, task_id: TaskId) -> list[ValueSpread]:
    """How the scores and labels of tasks are spread."""
    told = row_values.counts(connection, task_id)
    found: list[ValueSpread] = []
    for value, bins in row_values.bins(connection, task_id).items():
        spread: ValueSpread = {
            "value": value,
            "rows": sum(one.rows for one in bins),
            "bins": [_bin(one) for one in bins],
        }
        found.append({**spread, "mean": told[value]["mean"]} if "mean" in told[value] else spread)
    return found


def _bin(one: row_values.Bin) -> ValueBin:
    if one.low is None or one.high is None:
        return {"word": one.word or "", "rows": one.rows}
    return {"low": one.low, "high": one.high, "rows": one.rows}


def _languages_of(connection: Connection, some: Sequence[int]) -> tuple[Counter[str | None], int]:
    found = [one for one in rows.by_ids(connection, some).values() if not one.is_deleted]
    return Counter(_language(one.conversation.turns) for one in found), len(found)


def _language(turns: Sequence[Turn]) -> str | None:
    texts = (text for turn in turns for field, text in turn.texts() if field in ("prompt", "response"))
    return detect("\n".join(texts)[:_SAMPLE_CHARACTERS])
