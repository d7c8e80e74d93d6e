"""What the proof of an export says of each line, read by the page: the same facts as `lineage` tells of one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.model import split_id
from corpus_pipeline.service.queries import lineage, row_detail, views
from corpus_pipeline.service.records.base import JsonObject
from corpus_pipeline.store import Store, augmented, cleaned, exports, failed_samples, ledger, purges, recipes
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.exports import ExportedLine
from corpus_pipeline.store.tasks import Task

_PAGE = 500
_OF_CALL = ("model", "model_answered", "prompt_version", "request_key", "input_tokens", "output_tokens", "cost_usd")


class Export(NamedTuple):
    """An export whose lines are proved. id: `exports.WRITING` for one that is not recorded yet. variants: what the numbers of
    its line map mean."""

    file: DatasetFile
    task: Task
    id: int
    lines: int
    variants: Sequence[Sequence[Any]]


class Line(NamedTuple):
    """A line and where it comes from. place: (byte offset, bytes) in the source file, None when it is not known any more."""

    facts: JsonObject
    place: tuple[int, int] | None


def lines(store: Store, export: Export, on_page: Callable[[], None] = lambda: None) -> Iterator[Line]:
    """Every line in order. on_page is called before each page is read; what it raises ends it."""
    version = store.fetch(lambda c: recipes.recipe_row(c, export.task.recipe_id)).version
    people = store.fetch(lineage.People.of, export.file)
    for first in range(1, export.lines + 1, _PAGE):
        on_page()
        yield from store.fetch(_page, export, version, people, first, min(first + _PAGE - 1, export.lines))


def _page(
    connection: Connection, export: Export, version: str, people: lineage.People, first: int, last: int
) -> list[Line]:
    where = exports.lines_of_task(connection, export.task.id, export.id, export.variants, first, last)
    ids = sorted({one.conversation_id for _, one in where})
    places = {row.id: row for row in purges.places(connection, ids)}
    verdicts = cleaned.verdicts(connection, export.task.id, ids)
    made = _Made.of(connection, export.task, ids) if any(one.strategy is not None for _, one in where) else _NOTHING
    samples = failed_samples.ids_by_row(connection, export.task.id, ids)
    name = views.label_of(export.file)
    found = []
    for number, one in where:
        place, verdict = places.get(one.conversation_id), verdicts.get(one.conversation_id)
        facts: JsonObject = {
            "line": number,
            "row": views.address(name, one.conversation_id, one.strategy, one.sample_index or 0),
            "source": {
                "sha256": export.file.sha256,
                "row": split_id(one.conversation_id)[1],
                "line": place.source_line if place else None,
                "byte_offset": place.source_offset if place else None,
                "bytes": place.source_bytes if place else None,
            },
            "recipe_version": version,
            "rules": sorted({change.rule for change in verdict.changes}) if verdict else [],
            **made.by(one),
            "people": people.of_row(one.conversation_id, samples.get(one.conversation_id, frozenset())),
        }
        found.append(Line(facts, (place.source_offset, place.source_bytes) if place else None))
    return found


class _Made(NamedTuple):
    """What models did for the rows of a page: new rows by key, calls by row."""

    rows: dict[tuple[int, str, int], Row]
    calls: dict[int, list[Row]]

    @classmethod
    def of(cls, connection: Connection, task: Task, ids: Sequence[int]) -> _Made:
        calls: defaultdict[int, list[Row]] = defaultdict(list)
        for row in ledger.attempts_of_rows(connection, task.id, ids):
            calls[row.conversation_id].append(row)
        rows = augmented.provenance(connection, task.id, ids)
        return cls({(row.conversation_id, row.strategy, row.sample_index): row for row in rows}, calls)

    def by(self, one: ExportedLine) -> JsonObject:
        """Model, prompt, calls and money of a line; of a cleaned row there are none."""
        own: list[Row] = []
        made = None
        if one.strategy is not None:
            key = (one.strategy, one.sample_index)
            own = [row for row in self.calls.get(one.conversation_id, ()) if row_detail.is_of(row, *key)]
            made = self.rows.get((one.conversation_id, one.strategy, one.sample_index or 0))
        last = made or (own[-1] if own else None)
        calls = [views.call_dict(row) for row in own]
        return {
            "strategy": one.strategy,
            "model": last.model if last else None,
            "prompt_version": last.prompt_version if last else None,
            "calls": [{key: call[key] for key in _OF_CALL} for call in calls],  # type: ignore[literal-required]
            "cost_usd": sum(call["cost_usd"] for call in calls),
        }


_NOTHING = _Made({}, {})


def facts(connection: Connection, manifest: JsonObject) -> JsonObject:
    """What is signed of an export as a whole."""
    return {
        "name": manifest["name"],
        "recipe": manifest["recipe"],
        "source": manifest["source"],
        "created": manifest["created"],
        # where they stood, never what they said
        "purged_rows": purges.numbers_of(connection, manifest["source"]["sha256"]),
    }


def recorded(export: Row, file: DatasetFile, task: Task) -> Export:
    """An export that the database lists."""
    return Export(file, task, export.id, export.lines, orjson.loads(export.variants))
