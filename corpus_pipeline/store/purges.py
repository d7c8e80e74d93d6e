"""Removing a row by request, with everything that was made from it, and keeping it out afterwards.

What stays of a row is its place: a conversation that is deleted and has one turn without text, so that the lines of its file
still add up; and what was paid for it, without what was said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, insert, literal, or_, select, update

from corpus_pipeline.model import ROW_BITS, FileId, NanoDollars, TaskId, Usage, id_range, split_id
from corpus_pipeline.states import AttemptState, Stage
from corpus_pipeline.store import ledger
from corpus_pipeline.store.ledger import Settlement
from corpus_pipeline.store.rows import EMPTY_SHAPE, PURGED
from corpus_pipeline.store.schema import (
    answers,
    augmented_rows,
    augmented_turns,
    cleaned_rows,
    cleaned_turns,
    completion_reports,
    conversations,
    dataset_files,
    duplicates,
    execution_cursors,
    failed_samples,
    kept_rows,
    llm_attempts,
    purged_rows,
    rejects,
    review_verdicts,
    row_tags,
    row_values,
    tasks,
    turns,
    webhook_events,
    work_items,
)
from corpus_pipeline.store.statement_parts import parts

_MANY = 5_000  # keys of one that scans
_A_DAY = 86_400_000  # milliseconds


def kept_out(connection: Connection, sha256: str, numbers: Sequence[int]) -> frozenset[int]:
    """Which of these rows of a file with these bytes were purged."""
    own = purged_rows.c
    if not numbers:
        return frozenset()
    query = select(own.row_identifier).where(
        own.sha256 == sha256, own.row_identifier >= min(numbers), own.row_identifier <= max(numbers)
    )
    return frozenset(connection.execute(query).scalars())


def how_many(connection: Connection, sha256: str) -> int:
    """How many rows of a file with these bytes were purged."""
    own = purged_rows.c
    return connection.execute(select(func.count()).where(own.sha256 == sha256)).scalar_one()


def newest(connection: Connection, sha256: str, count: int) -> list[int]:
    """The rows of a file with these bytes that were purged last, `count` of them and those of the day before (clocks are set
    back, and requests overtake each other)."""
    own = purged_rows.c
    query = select(own.row_identifier, own.purged_at).where(own.sha256 == sha256).order_by(own.purged_at.desc())
    found = connection.execute(query).all()
    since = found[min(count, len(found)) - 1].purged_at - _A_DAY if found and count else 0
    return sorted(row.row_identifier for row in found if row.purged_at >= since)


def of_row(connection: Connection, sha256: str, number: int) -> Row | None:
    """(reason, purged_by, purged_at) of a row that was purged."""
    own = purged_rows.c
    query = select(own.reason, own.purged_by, own.purged_at).where(own.sha256 == sha256, own.row_identifier == number)
    return connection.execute(query).one_or_none()


def numbers_of(connection: Connection, sha256: str) -> list[int]:
    """The rows of a file with these bytes that were purged, in order."""
    own = purged_rows.c
    query = select(own.row_identifier).where(own.sha256 == sha256).order_by(own.row_identifier)
    return list(connection.execute(query).scalars())


def keep_out(connection: Connection, sha256: str, numbers: Sequence[int], reason: str, who: str) -> None:
    """From now on nothing of these rows is stored, whenever a file with these bytes is read."""
    fresh = sorted(set(numbers) - kept_out(connection, sha256, numbers))
    if fresh:
        values = [{"sha256": sha256, "row_identifier": n, "reason": reason, "purged_by": who[:128]} for n in fresh]
        connection.execute(insert(purged_rows), values)


def same_bytes(connection: Connection, sha256: str) -> Sequence[Row]:
    """(id, name, version, path) of every version of every dataset file with these bytes, as far as it was not removed."""
    own = dataset_files.c
    here = (own.sha256 == sha256) & own.removed_at.is_(None)
    query = select(own.id, own.name, own.version, own.path).where(here).order_by(own.id)
    return connection.execute(query).all()


def tasks_of(connection: Connection, file_ids: Sequence[int]) -> list[TaskId]:
    """All tasks of some dataset files."""
    query = select(tasks.c.id).where(tasks.c.file_id.in_(file_ids)).order_by(tasks.c.id)
    return [TaskId(i) for i in connection.execute(query).scalars()]


def copies(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Rows of any file with the same normalized content as one of these. Reads the verdicts of the whole corpus."""
    files = sorted({split_id(identifier)[0] for identifier in ids})
    own, hashes = set(ids), set[bytes]()
    for part in parts(ids):
        query = select(cleaned_rows.c.content_hash).where(
            cleaned_rows.c.task_id.in_(tasks_of(connection, files)), cleaned_rows.c.conversation_id.in_(part)
        )
        hashes.update(connection.execute(query).scalars())
    found = set[int]()
    for keys in parts(sorted(hashes), _MANY):
        query = select(cleaned_rows.c.conversation_id).where(cleaned_rows.c.content_hash.in_(keys))
        found.update(connection.execute(query).scalars())
    return sorted(found - own)


class Repeating(NamedTuple):
    """A row that was a duplicate because of another one."""

    task_id: TaskId
    conversation_id: int


def repeating(connection: Connection, ids: Sequence[int]) -> list[Repeating]:
    """The rows, of any task, whose place in a cluster of duplicates hangs on one of these."""
    own, keepers = set(ids), set(ids)
    for part in parts(ids):
        query = select(duplicates.c.duplicate_of).where(duplicates.c.conversation_id.in_(part))
        keepers.update(connection.execute(query).scalars())
    rows = list[Row]()
    for part in parts(sorted(keepers)):
        rows += connection.execute(select(duplicates).where(duplicates.c.duplicate_of.in_(part))).all()
    found, hanging = list[Repeating](), set(own)
    for row in sorted(
        rows, key=lambda one: (one.conversation_id, one.task_id)
    ):  # `nearest` is lower: it is known by then
        if row.conversation_id not in own and (row.nearest in hanging or row.duplicate_of in own):
            hanging.add(row.conversation_id)
            found.append(Repeating(TaskId(row.task_id), row.conversation_id))
    return found


def clustered(connection: Connection, file_id: FileId) -> list[int]:
    """The rows of a file that are in a cluster of duplicates under any recipe, its keepers included."""
    low, high = id_range(file_id)
    keepers = select(duplicates.c.duplicate_of).where(
        duplicates.c.duplicate_of > low, duplicates.c.duplicate_of <= high
    )
    found = set(connection.execute(keepers.distinct()).scalars())
    own = select(duplicates.c.conversation_id).where(duplicates.c.task_id.in_(tasks_of(connection, [file_id])))
    found.update(connection.execute(own).scalars())
    return sorted(found)


class Erased(NamedTuple):
    """removed: rows by what they held. kept: what stays, without or despite its text. shared: answers that rows of the same
    content use."""

    removed: dict[str, int]
    kept: dict[str, int]


def erase(connection: Connection, ids: Sequence[int], bad: Sequence[int]) -> Erased:
    """Remove the texts of the conversations `ids` and everything made from them, and the bytes of the rejects `bad`."""
    removed, kept = Counter[str](), Counter[str]()
    own_tasks = tasks_of(connection, sorted({split_id(identifier)[0] for identifier in ids}))
    keys = _shared_keys(connection, own_tasks, ids)
    for part in parts(ids):
        _erase_answers(connection, own_tasks, part, keys, removed, kept)
        for name, table in MADE:
            made = and_(table.c.task_id.in_(own_tasks), table.c.conversation_id.in_(part))
            removed[name] += connection.execute(table.delete().where(made)).rowcount
        kept_anyway = kept_rows.delete().where(kept_rows.c.conversation_id.in_(part))
        removed["kept_rows"] += connection.execute(kept_anyway).rowcount
        removed["turns"] += connection.execute(turns.delete().where(turns.c.conversation_id.in_(part))).rowcount
        connection.execute(insert(turns), [{"conversation_id": one, "turn_taking": 1} for one in part])
        connection.execute(
            update(conversations)
            .where(conversations.c.id.in_(part))
            .values(turns=1, shape=EMPTY_SHAPE, tools=None, is_deleted=True)
        )
    if ids:
        # anyone who keeps something about the verdicts of a finished pass must see that they are others now
        c = execution_cursors.c
        finished = and_(c.task_id.in_(own_tasks), c.stage == Stage.CLEAN.value, c.finished_at.is_not(None))
        connection.execute(update(execution_cursors).where(finished).values(finished_at=c.finished_at + 1))
    for one in bad:
        file_id, number = split_id(one)
        its_own = and_(rejects.c.file_id == file_id, rejects.c.row_identifier == number)
        touched = connection.execute(update(rejects).where(its_own).values(raw=b"", detail=PURGED))
        removed["rejects"] += touched.rowcount
    return Erased({k: n for k, n in removed.items() if n}, {k: n for k, n in kept.items() if n})


MADE: tuple[tuple[str, Table], ...] = (
    ("failed_samples", failed_samples),
    ("augmented_turns", augmented_turns),
    ("review_verdicts", review_verdicts),
    ("row_values", row_values),
    ("augmented_rows", augmented_rows),
    ("work_items", work_items),
    ("duplicates", duplicates),
    ("cleaned_turns", cleaned_turns),
    ("row_tags", row_tags),
    ("verdicts", cleaned_rows),
)


def forget_answers(connection: Connection, own_tasks: Sequence[TaskId], low: int, last: int) -> None:
    """Delete the answers to what was asked for the rows above `low`, up to `last`, of these tasks. Those that rows of other
    tasks are made of stay."""
    a = llm_attempts.c
    asked = select(a.id, a.request_key).where(
        a.task_id.in_(own_tasks), a.conversation_id > low, a.conversation_id <= last
    )
    keys = {row.id: row.request_key for row in connection.execute(asked)}
    shared = set[str]()
    for some in parts(sorted(set(keys.values())), _MANY):
        query = select(augmented_rows.c.request_key).where(
            augmented_rows.c.request_key.in_(some), augmented_rows.c.task_id.not_in(own_tasks)
        )
        shared.update(connection.execute(query).scalars())
    for ids in parts([identifier for identifier, key in keys.items() if key not in shared]):
        connection.execute(answers.delete().where(answers.c.attempt_id.in_(ids)))


def _attempts(own_tasks: Sequence[TaskId], part: Sequence[int]) -> list[ColumnElement[bool]]:
    return [llm_attempts.c.task_id.in_(own_tasks), llm_attempts.c.conversation_id.in_(part)]


def _shared_keys(connection: Connection, own_tasks: Sequence[TaskId], ids: Sequence[int]) -> set[str]:
    """The requests that were made for these rows and whose answers other rows are made of."""
    asked = set[str]()
    for part in parts(ids):
        asked.update(
            connection.execute(select(llm_attempts.c.request_key).where(*_attempts(own_tasks, part))).scalars()
        )
    found, own = set[str](), set(ids)
    for keys in parts(sorted(asked), _MANY):
        query = select(augmented_rows.c.request_key, augmented_rows.c.conversation_id).where(
            augmented_rows.c.request_key.in_(keys)
        )
        found.update(key for key, conversation_id in connection.execute(query) if conversation_id not in own)
    return found


def _erase_answers(
    connection: Connection,
    own_tasks: Sequence[TaskId],
    part: Sequence[int],
    shared: set[str],
    removed: Counter[str],
    kept: Counter[str],
) -> None:
    columns = (llm_attempts.c.id, llm_attempts.c.request_key, llm_attempts.c.state, llm_attempts.c.reserved)
    made = connection.execute(select(*columns).where(*_attempts(own_tasks, part))).all()
    # what is under way in a provider batch: whatever comes of it is not taken in, and is booked at its upper bound
    ledger.settle(
        connection,
        [
            Settlement(row.id, AttemptState.UNKNOWN, PURGED, Usage(0, 0), NanoDollars(row.reserved), 0)
            for row in made
            if row.state == AttemptState.INTENT
        ],
    )
    for some in parts([row.id for row in made if row.request_key not in shared]):
        removed["answers"] += connection.execute(answers.delete().where(answers.c.attempt_id.in_(some))).rowcount
    kept["ledger_rows"] += len(made)
    for some in parts([row.id for row in made if row.request_key in shared]):
        query = select(answers.c.attempt_id).where(answers.c.attempt_id.in_(some))
        kept["shared_answers"] += len(connection.execute(query).all())


def scrub_reports(connection: Connection, own_tasks: Sequence[TaskId], addresses: Iterable[str]) -> int:
    """Take some rows (`file:number`) out of the samples for review in completion reports and messages about them."""
    wanted, touched = set(addresses), 0
    for table in (completion_reports, webhook_events):
        query = select(table.c.id, table.c.body).where(
            table.c.task_id.in_(own_tasks), table.c.stage == Stage.AUGMENT.value
        )
        for identifier, text in connection.execute(query).all():
            body = orjson.loads(text)
            if _without(body.get("report", body), wanted):
                touched += 1
                changed = orjson.dumps(body).decode()
                connection.execute(update(table).where(table.c.id == identifier).values(body=changed))
    return touched


def _without(report: dict[str, Any], addresses: set[str]) -> bool:
    sample = report.get("review") or []
    report["review"] = [row for row in sample if row.get("row") not in addresses]
    return len(report["review"]) != len(sample)


def places(connection: Connection, ids: Sequence[int]) -> list[Row]:
    """(id, source_line, source_offset, source_bytes) of the conversations among some ids, by id where these are in order."""
    c, found = conversations.c, list[Row]()
    for part in parts(ids):
        query = select(c.id, c.source_line, c.source_offset, c.source_bytes).where(c.id.in_(part)).order_by(c.id)
        found += connection.execute(query).all()
    return found


def stored(connection: Connection, ids: Sequence[int]) -> tuple[list[Row], list[Row]]:
    """(conversations, rejects) among some ids; (id, source_line, source_offset, source_bytes) of each."""
    good, bad, r = places(connection, ids), list[Row](), rejects.c
    for part in parts(ids, 200):
        either = or_(*((r.file_id == f) & (r.row_identifier == n) for f, n in map(split_id, part)))
        columns = ((r.file_id * literal(1 << ROW_BITS) + r.row_identifier).label("id"), r.source_line, r.source_offset)
        bad += connection.execute(select(*columns, r.source_bytes).where(either)).all()
    return good, bad
