"""Invariants: one query each for conservation, whole conversations, cursors, the ledger and the failed-sample queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
)

from corpus_pipeline.model import ROW_BITS
from corpus_pipeline.states import (
    TRANSITIONS,
    AttemptState,
    FailedState,
    FileState,
    ItemState,
    RowState,
    Stage,
    Status,
)
from corpus_pipeline.store.schema import (
    DATA_COLUMNS,
    answers,
    augmented_rows,
    augmented_turns,
    cleaned_rows,
    cleaned_turns,
    conversations,
    cursor_events,
    dataset_files,
    duplicates,
    execution_cursors,
    export_chunks,
    exports,
    failed_samples,
    llm_attempts,
    purged_rows,
    rejects,
    row_tags,
    row_values,
    spending,
    turns,
    work_items,
)


def violations(connection: Connection, *, at_rest: bool = True) -> list[str]:
    """What is not as it must always be, one sentence each; empty when all is well.

    at_rest: no one works, and anyone who died was taken over: no lease is live, no call is on the wire.
    """
    found = []
    for name, query in _QUERIES.items():
        rows = connection.execute(query).all()
        if rows:
            found.append(f"{name}: {len(rows)} cases, first {tuple(rows[0])}")
    found += _illegal_transitions(connection)
    found += _overlapping_records(connection)
    found += _unequal_sums(connection)
    if at_rest:
        found += _unrest(connection)
    return found


def count() -> int:
    """How many rules `violations` holds the store to, whether somebody works or not."""
    return len(_QUERIES) + 3


def ledger_violations(connection: Connection, invoice: Iterable[Mapping[str, Any]]) -> list[str]:
    """Compare the ledger with the provider's list of calls: mappings with attempt_id, outcome, input_tokens and
    output_tokens. One sentence for each thing that does not agree."""
    ledger = {
        row.id: row
        for row in connection.execute(
            select(_A.id, _A.request_key, _A.state, _A.outcome, _A.input_tokens, _A.output_tokens, _A.estimated)
        )
    }
    found, billed = [], set[str]()
    for line in invoice:
        own = ledger.get(line["attempt_id"])
        if own is None:
            found.append(f"the provider worked on attempt {line['attempt_id']}, which the ledger does not know")
        elif line["outcome"] == "answered":
            billed.add(own.id)
            told = (line["input_tokens"], line["output_tokens"])
            if (
                own.state == AttemptState.ANSWERED
                and not own.estimated
                and told != (own.input_tokens, own.output_tokens)
            ):
                found.append(f"attempt {own.id} is billed {told} tokens and booked with others")
            if own.state == AttemptState.ERROR:
                found.append(f"attempt {own.id} is billed and booked as an error that costs nothing")
    for row in ledger.values():
        if row.state == AttemptState.ANSWERED and row.id not in billed:
            found.append(f"attempt {row.id} is booked as answered, and the provider does not bill it")
    return found


def paid_twice(connection: Connection) -> list[str]:
    """Request keys with more than one usable stored answer: the second call should have used the first one's."""
    query = (
        select(answers.c.request_key)
        .where(answers.c.rejected.is_(None))
        .group_by(answers.c.request_key)
        .having(func.count() > 1)
    )
    return list(connection.execute(query).scalars())


def _illegal_transitions(connection: Connection) -> list[str]:
    found = []
    epochs: dict[tuple[int, str], int] = {}
    for row in connection.execute(select(cursor_events).order_by(cursor_events.c.id)):
        if Status(row.to_status) not in TRANSITIONS[Status(row.from_status)]:
            found.append(f"event {row.id} went from {row.from_status} to {row.to_status}")
        if row.epoch is not None:
            last = epochs.setdefault((row.task_id, row.stage), row.epoch)
            if row.epoch < last:
                found.append(f"event {row.id} was written with epoch {row.epoch} after epoch {last}")
            epochs[row.task_id, row.stage] = row.epoch
    return found


def _overlapping_records(connection: Connection) -> list[str]:
    """Records of a file in row order: their places in the source follow one another."""
    stored = [conversations.c.id, conversations.c.source_offset, conversations.c.source_bytes]
    bad = [rejects.c.file_id * _ROWS + rejects.c.row_identifier, rejects.c.source_offset, rejects.c.source_bytes]
    found, file, end = [], -1, 0
    for identifier, offset, size in sorted(
        tuple(r) for q in (select(*stored), select(*bad)) for r in connection.execute(q)
    ):
        if identifier >> ROW_BITS != file:
            file, end = identifier >> ROW_BITS, 0
        if offset < end:
            found.append(f"record {identifier} begins at byte {offset}, inside the one before it")
        end = offset + size
    return found


def _unequal_sums(connection: Connection) -> list[str]:
    """The sums that are kept of the ledger are its sums."""
    names = ("input_tokens", "output_tokens", "cost")
    settled = _A.state != AttemptState.INTENT.value
    query = select(_A.task_id, func.count(), *(func.sum(_A[name]) for name in names)).where(settled)
    ledger = {row[0]: tuple(map(int, row[1:])) for row in connection.execute(query.group_by(_A.task_id))}
    s = spending.c
    kept_calls = func.sum(s.answered + s.errors + s.unknown)
    query = select(s.task_id, kept_calls, *(func.sum(s[name]) for name in names)).group_by(s.task_id)
    kept = {row[0]: tuple(map(int, row[1:])) for row in connection.execute(query)}
    return [
        f"task {t}: the ledger sums up to {ledger.get(t)}, and {kept.get(t)} is kept"
        for t in {*ledger, *kept}
        if ledger.get(t) != kept.get(t)
    ]


def _unrest(connection: Connection) -> list[str]:
    found = []
    for row in connection.execute(select(_A.id).where(_A.state == AttemptState.INTENT.value, _A.batch_id.is_(None))):
        found.append(f"attempt {row.id} is neither settled nor booked as unknown")
    for row in connection.execute(
        select(_C.task_id, _C.stage, _C.task_type, _C.status).where(
            _C.status.in_([Status.RUNNING.value, Status.PAUSING.value])
        )
    ):
        found.append(f"cursor {tuple(row)} is at work, and nobody works")
    return found


_A = llm_attempts.c
_C = execution_cursors.c
_ROWS = literal(1 << ROW_BITS)
_NAMES = ("task_id", "conversation_id", "strategy", "sample_index")


def _same(left: Table, right: Table) -> ColumnElement[bool]:
    return and_(*(left.c[name] == right.c[name] for name in _NAMES))


_turn_numbers = (
    select(
        turns.c.conversation_id,
        func.count().label("number"),
        func.min(turns.c.turn_taking).label("first"),
        func.max(turns.c.turn_taking).label("last"),
    )
    .group_by(turns.c.conversation_id)
    .subquery()
)
_purged = purged_rows.join(dataset_files, dataset_files.c.sha256 == purged_rows.c.sha256)
_purged_id = dataset_files.c.id * _ROWS + purged_rows.c.row_identifier
_of_cursor = and_(conversations.c.id > _C.current_file_id * _ROWS, conversations.c.id <= _C.last_id)
_waits = select(failed_samples.c.id).where(
    failed_samples.c.task_id == _C.task_id,
    failed_samples.c.conversation_id == cleaned_rows.c.conversation_id,
    failed_samples.c.strategy == _C.task_type,
    failed_samples.c.state == FailedState.REPLAYED.value,
)

# each finds cases that must not be
_QUERIES: dict[str, Select | CompoundSelect] = {
    "a file whose lines are not its conversations, rejects and blanks": select(dataset_files.c.name).where(
        dataset_files.c.state == FileState.INGESTED.value,
        or_(
            dataset_files.c.lines
            != dataset_files.c.conversations + dataset_files.c.rejects + func.coalesce(dataset_files.c.blanks, 0),
            dataset_files.c.conversations
            != select(func.count())
            .select_from(conversations)
            .where(
                conversations.c.id > dataset_files.c.id * _ROWS, conversations.c.id < (dataset_files.c.id + 1) * _ROWS
            )
            .scalar_subquery(),
            dataset_files.c.rejects
            != select(func.count())
            .select_from(rejects)
            .where(rejects.c.file_id == dataset_files.c.id)
            .scalar_subquery(),
        ),
    ),
    "a conversation whose turns are not 1..n": select(conversations.c.id)
    .outerjoin(_turn_numbers, _turn_numbers.c.conversation_id == conversations.c.id)
    .where(
        or_(
            _turn_numbers.c.number.is_(None),
            _turn_numbers.c.number != conversations.c.turns,
            _turn_numbers.c.first != 1,
            _turn_numbers.c.last != conversations.c.turns,
        )
    ),
    "a turn without its conversation": select(turns.c.conversation_id)
    .outerjoin(conversations, conversations.c.id == turns.c.conversation_id)
    .where(conversations.c.id.is_(None)),
    "an ingest cursor that is not where the rows are": select(_C.task_id, _C.last_id, conversations.c.id).where(
        _C.stage == Stage.INGEST.value,
        _C.status != Status.PENDING.value,
        conversations.c.id > _C.last_id,
        conversations.c.id < (_C.current_file_id + 1) * _ROWS,
        _C.last_id > 0,
    ),
    "a row behind the rule cursor without a verdict": select(_C.task_id, conversations.c.id)
    .select_from(
        execution_cursors.join(conversations, _of_cursor).outerjoin(
            cleaned_rows,
            and_(cleaned_rows.c.task_id == _C.task_id, cleaned_rows.c.conversation_id == conversations.c.id),
        )
    )
    .where(
        _C.stage == Stage.CLEAN.value,
        _C.task_type == "rules",
        conversations.c.is_deleted.is_(False),
        cleaned_rows.c.task_id.is_(None),
    ),
    "a verdict ahead of the rule cursor": select(_C.task_id, cleaned_rows.c.conversation_id).where(
        _C.stage == Stage.CLEAN.value,
        _C.task_type == "rules",
        cleaned_rows.c.task_id == _C.task_id,
        cleaned_rows.c.conversation_id > _C.last_id,
    ),
    "a kept row behind an augment cursor without an outcome": select(_C.task_id, _C.task_type, conversations.c.id)
    .select_from(
        execution_cursors.join(
            cleaned_rows,
            and_(
                cleaned_rows.c.task_id == _C.task_id,
                cleaned_rows.c.conversation_id <= _C.last_id,
                cleaned_rows.c.state == RowState.KEPT.value,
            ),
        )
        .join(conversations, conversations.c.id == cleaned_rows.c.conversation_id)
        .outerjoin(
            duplicates,
            and_(duplicates.c.task_id == _C.task_id, duplicates.c.conversation_id == cleaned_rows.c.conversation_id),
        )
        .outerjoin(
            work_items,
            and_(
                work_items.c.task_id == _C.task_id,
                work_items.c.conversation_id == cleaned_rows.c.conversation_id,
                work_items.c.strategy == _C.task_type,
            ),
        )
    )
    .where(
        _C.stage == Stage.AUGMENT.value,
        conversations.c.is_deleted.is_(False),
        duplicates.c.task_id.is_(None),
        work_items.c.task_id.is_(None),
        ~_waits.exists(),
    ),
    "a value of nothing that was made": select(*(row_values.c[name] for name in _NAMES))
    .outerjoin(augmented_rows, _same(augmented_rows, row_values))
    .where(augmented_rows.c.task_id.is_(None)),
    "an item that is done without a row": select(*(work_items.c[name] for name in _NAMES))
    .outerjoin(augmented_rows, _same(augmented_rows, work_items))
    .where(work_items.c.state == ItemState.DONE.value, augmented_rows.c.task_id.is_(None)),
    "a row whose item is not done": select(*(augmented_rows.c[name] for name in _NAMES))
    .outerjoin(work_items, _same(augmented_rows, work_items))
    .where(or_(work_items.c.task_id.is_(None), work_items.c.state != ItemState.DONE.value)),
    "a row made of no usable answer": select(*(augmented_rows.c[name] for name in _NAMES))
    .outerjoin(
        answers,
        and_(
            answers.c.request_key == augmented_rows.c.request_key,
            answers.c.rejected.is_(None),
            answers.c.finish_reason == "stop",
            answers.c.refusal.is_(None),
        ),
    )
    .where(answers.c.attempt_id.is_(None)),
    "an answer whose attempt is not booked as answered": select(answers.c.attempt_id)
    .outerjoin(llm_attempts, and_(_A.id == answers.c.attempt_id, _A.state == AttemptState.ANSWERED.value))
    .where(_A.id.is_(None)),
    "a failed item that is not in the queue": select(*(work_items.c[name] for name in _NAMES))
    .outerjoin(failed_samples, _same(failed_samples, work_items))
    .where(work_items.c.state == ItemState.FAILED.value, failed_samples.c.id.is_(None)),
    "an open failed sample whose item did not fail": select(failed_samples.c.id)
    .outerjoin(work_items, and_(_same(failed_samples, work_items), work_items.c.state == ItemState.FAILED.value))
    .where(failed_samples.c.state == FailedState.OPEN.value, work_items.c.task_id.is_(None)),
    "two current exports of one task at one place": select(exports.c.task_id, exports.c.target)
    .where(exports.c.superseded_at.is_(None))
    .group_by(exports.c.task_id, exports.c.target)
    .having(func.count() > 1),
    "an export whose line map has another number of lines": select(exports.c.id)
    .outerjoin(
        export_chunks, and_(export_chunks.c.task_id == exports.c.task_id, export_chunks.c.export_id == exports.c.id)
    )
    .group_by(exports.c.id, exports.c.lines)
    .having(func.coalesce(func.sum(export_chunks.c.lines), 0) != exports.c.lines),
    "a purged row whose text is there": select(turns.c.conversation_id)
    .select_from(_purged.join(turns, turns.c.conversation_id == _purged_id))
    .where(or_(*(turns.c[name].is_not(None) for name in DATA_COLUMNS))),
    "something made of a purged row": union_all(
        *(
            select(table.c.task_id, table.c.conversation_id).select_from(
                _purged.join(table, table.c.conversation_id == _purged_id)
            )
            for table in (
                cleaned_rows,
                cleaned_turns,
                row_tags,
                work_items,
                augmented_rows,
                augmented_turns,
                row_values,
                failed_samples,
            )
        )
    ),
    "a duplicate of a purged row": select(duplicates.c.conversation_id).select_from(
        _purged.join(duplicates, or_(duplicates.c.nearest == _purged_id, duplicates.c.duplicate_of == _purged_id))
    ),
    "something left of a removed file": select(conversations.c.id).select_from(
        conversations.join(
            dataset_files,
            and_(
                conversations.c.id > dataset_files.c.id * _ROWS,
                conversations.c.id < (dataset_files.c.id + 1) * _ROWS,
                dataset_files.c.emptied_at.is_not(None),
            ),
        )
    ),
    "work on a removed file": select(_C.task_id, dataset_files.c.name)
    .select_from(execution_cursors.join(dataset_files, dataset_files.c.id == _C.current_file_id))
    .where(dataset_files.c.removed_at.is_not(None)),
    "a cursor that counted more rows than there are": select(_C.task_id, _C.stage, _C.task_type).where(
        _C.total_rows.is_not(None), _C.current_offset > _C.total_rows
    ),
}
