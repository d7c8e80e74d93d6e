"""New rows that repeat a row of their file, or another new row: worth nothing to a trainer, told, and left out where a recipe
says so.

They are compared as source rows are compared with each other (`stages.clean.dedup`): by content, and part by part. The rows
of the file are not compared among themselves again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from corpus_pipeline.jobs.clean.corpus_scope import rows_of, rule_of, texts_of
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import ROW_BITS, Conversation, Turn, id_range, split_id
from corpus_pipeline.stages.clean.dedup import duplicates
from corpus_pipeline.stages.clean.dedup.duplicates import KINDS, Rows
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import RowTexts, fingerprints
from corpus_pipeline.stages.clean.dedup.verification import Wording, wording_of
from corpus_pipeline.stages.clean.normalize import content_hash, frame_of
from corpus_pipeline.stages.clean.record_rest import rest_of
from corpus_pipeline.stages.clean.worker import row_texts
from corpus_pipeline.store import augmented, cleaned
from corpus_pipeline.store.augmented import ItemKey, Repeat

_PAGE = 2000  # source rows


class _NewRow(NamedTuple):
    key: ItemKey
    content_hash: bytes
    texts: RowTexts


def find(held: Held) -> None:
    """Find which new rows of the task repeat another row, and keep it beside them; what was found before is replaced."""
    dedup = held.work.recipe.clean.dedup
    if not dedup.exact and not dedup.near:
        return
    keys: list[ItemKey] = []
    parts: list[Rows] = []
    after = (held.work.file.id + 1) << ROW_BITS  # numbers of a file of their own, behind all rows of this one
    for page in _pages(held):
        parts.append(_prints(held, page, after + len(keys)))
        keys += [row.key for row in page]
    found: list[Repeat] = []
    if keys:
        source = rows_of(held, held.work.task.id)
        every = Rows(*(np.concatenate(columns) for columns in zip(source, *parts, strict=True)))
        own = np.arange(len(every.ids)) >= len(source.ids)
        found = _repeats(held, every, own, keys, after)
    held.commit(_write, held, found)


def _write(connection: Connection, held: Held, found: Sequence[Repeat]) -> None:
    augmented.set_repeats(connection, held.work.task.id, found)


def _pages(held: Held) -> Iterator[list[_NewRow]]:
    """The new rows, in the order of their sources."""
    after, end = id_range(held.work.file.id)
    keys = frozenset(held.work.recipe.clean.dedup.record_keys)
    while page := held.fetch(cleaned.kept_page, held.work.task.id, after, end, _PAGE):
        made = held.fetch(augmented.rows_between, held.work.task.id, page[0].id - 1, page[-1].id)
        found = []
        for row in page:
            for strategy, sample, turns in made.get(row.id, ()):
                frame = _frame(row.conversation, turns, keys)
                key = (int(row.id), strategy, sample)
                found.append(_NewRow(key, content_hash(turns, frame), row_texts(turns, frame)))
        if found:
            yield found
        after = page[-1].id


def _frame(source: Conversation, turns: Sequence[Turn], record_keys: frozenset[str]) -> bytes:
    return frame_of(tuple(turns), source.tools, rest_of(source.shape, record_keys))


def _prints(held: Held, page: Sequence[_NewRow], first: int) -> Rows:
    """What is compared of new rows."""
    dedup = held.work.recipe.clean.dedup
    prints = fingerprints([row.texts for row in page], scheme_named(dedup.features, dedup.params), dedup.long_part)
    hashes = np.frombuffer(b"".join(row.content_hash for row in page), np.uint8).reshape(len(page), -1)
    return Rows(
        np.arange(first, first + len(page), dtype=np.int64), hashes, prints.values, prints.enough, prints.signatures
    )


def _repeats(held: Held, every: Rows, own: np.ndarray, keys: Sequence[ItemKey], first: int) -> list[Repeat]:
    of_source = texts_of(held, {held.work.file.id: held.work.task.id})

    def texts(ids: Sequence[int]) -> Mapping[int, Wording]:
        new = {identifier: keys[identifier - first] for identifier in ids if identifier >= first}
        made = held.fetch(augmented.turns_of_rows, held.work.task.id, sorted(set(new.values())))
        return {
            **of_source([identifier for identifier in ids if identifier < first]),
            **{identifier: wording_of(made[key]) for identifier, key in new.items() if key in made},
        }

    found = duplicates.find(every, rule_of(held.work.recipe.clean.dedup), texts, own=own)
    is_new = found.ids >= first
    return [
        _repeat(keys[identifier - first], nearest, KINDS[kind].value, keys, first)
        for identifier, nearest, kind in zip(
            found.ids[is_new].tolist(), found.nearest[is_new].tolist(), found.kinds[is_new].tolist(), strict=True
        )
    ]


def _repeat(key: ItemKey, nearest: int, kind: str, keys: Sequence[ItemKey], first: int) -> Repeat:
    if nearest >= first:
        row, strategy, sample = keys[nearest - first]
        return Repeat(key, kind, split_id(row)[1], strategy, sample)
    return Repeat(key, kind, split_id(nearest)[1])
