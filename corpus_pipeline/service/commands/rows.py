"""Commands on single rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.jobs.clean.invalidation import clean_again
from corpus_pipeline.model import ConversationId, conversation_id, split_id
from corpus_pipeline.states import RowState, Stage
from corpus_pipeline.store import Store, audit_log, cleaned, cursors, dataset_files, kept_rows, rows, tasks


def delete_rows(store: Store, ids: Sequence[ConversationId], reason: str, who: str) -> None:
    """Soft-delete rows (`is_deleted`): no stage reads them any more, and the next export is without them and what was
    made from them. Raises UsageError without a reason, KeylessWrite (nothing is changed) when one does not exist.
    """
    if not reason.strip():
        raise UsageError("say why the rows are deleted; it is kept in the audit log")

    def write(connection: Connection) -> None:
        rows.soft_delete(connection, ids)
        for file_id in {split_id(identifier)[0] for identifier in ids}:
            for task_id in tasks.tasks_of_file(connection, file_id):
                tasks.touch_content(connection, task_id)
        audit_log.log(connection, who, "delete", f"{len(ids)} rows", {"ids": list(ids[:1000]), "reason": reason})

    store.write(write, repeatable=True)


class Kept(NamedTuple):
    """A decision that was recorded. rows: as FILE:NUMBER; run: the dataset files whose next run takes it into account."""

    rows: list[str]
    run: list[str]


def keep_rows(store: Store, places: Sequence[tuple[str, int]], reason: str, who: str, *, undo: bool = False) -> Kept:
    """Keep rows (file name, row number) that cleaning drops as duplicates or by a rule, or let cleaning decide again.

    The decision is the row's: it holds under any recipe and over any number of cleanings. The next run decides again about
    the file, with answers that were paid for kept. Raises UnknownName, UsageError for a row that is not dropped (undo:
    that no one keeps), LeaseHeld while the file is being worked.
    """
    if not reason.strip():
        raise UsageError("say why: --reason TEXT; it is kept with the row and in the audit log")
    by_file: dict[str, list[int]] = {}
    for name, number in places:
        by_file.setdefault(name, []).append(number)

    def write(connection: Connection) -> Kept:
        found = Kept([], [])
        for name, numbers in sorted(by_file.items()):
            _decide(connection, name, sorted(set(numbers)), reason, who, found, undo=undo)
        return found

    return store.write(write)


def _decide(
    connection: Connection, name: str, numbers: Sequence[int], reason: str, who: str, found: Kept, *, undo: bool
) -> None:
    ((file, task),) = tasks.current_tasks(connection, [name])
    ids = [conversation_id(file.id, number) for number in numbers]
    _check_exist(connection, file, ids)
    kept = kept_rows.among(connection, ids)
    verdicts = cleaned.verdicts(connection, task.id, ids) if task is not None else {}
    for identifier, number in zip(ids, numbers, strict=True):
        verdict = verdicts.get(identifier)
        is_dropped = verdict is not None and (
            verdict.state is RowState.DROPPED or verdict.duplicate_of is not None or identifier in kept
        )
        if undo and identifier not in kept:
            raise UsageError(
                f"{name}:{number} is not kept by anybody; `corpus duplicates {name} --kept-anyway` lists those"
            )
        if not undo and not is_dropped:
            if task is not None and not cursors.is_done(connection, task.id, Stage.CLEAN):
                raise UsageError(
                    f"the next run decides again about {name}:{number}: `corpus run {name} --to clean`, then keep it; "
                    "several rows can be kept at once"
                )
            raise UsageError(f"cleaning does not drop {name}:{number}: there is nothing to keep it from")
    if undo:
        kept_rows.remove(connection, ids)
    else:
        kept_rows.add(connection, ids, who, reason)
    others: list[str] = []
    if task is not None and verdicts:
        by_rule = undo or any(verdict.state is RowState.DROPPED for verdict in verdicts.values())
        others = clean_again(connection, file, task.id, who, rules=by_rule)
    detail = {"rows": list(numbers), "reason": reason}
    audit_log.log(connection, who, "keep undone" if undo else "keep", name, detail)
    found.rows.extend(f"{name}:{number}" for number in numbers)
    found.run.extend(other for other in (name, *others) if other not in found.run)


def _check_exist(connection: Connection, file: dataset_files.DatasetFile, ids: Sequence[ConversationId]) -> None:
    missing = sorted(set(ids) - set(rows.by_ids(connection, ids)))
    if missing:
        raise UnknownName(
            "row", f"{file.name}:{split_id(missing[0])[1]}", [f"{file.name}:1 to {file.name}:{file.lines or 0}"]
        )
