"""Commands on single rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.jobs.clean.invalidation import clean_again
from corpus_pipeline.model import ConversationId, changing_rules, conversation_id, split_id
from corpus_pipeline.recipe import parse
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.rules.personal_data import MaskingRule
from corpus_pipeline.states import RowState, Stage
from corpus_pipeline.store import (
    Store,
    audit_log,
    augmented,
    cleaned,
    cursors,
    dataset_files,
    kept_rows,
    recipes,
    rows,
    tasks,
)


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
    """A decision that was recorded. rows: as FILE:NUMBER; run: the dataset files whose next run takes it into account.
    unchanged: those of the rows that are kept as their source brought them."""

    rows: list[str]
    run: list[str]
    unchanged: list[str]


def keep_rows(store: Store, places: Sequence[tuple[str, int]], reason: str, who: str, *, undo: bool = False) -> Kept:
    """Keep rows (file name, row number) that cleaning drops as duplicates or by a rule, keep others that it changes as their
    source brought them, or let cleaning decide again.

    The decision is the row's: it holds under any recipe and over any number of cleanings. The next run decides again about
    the file, with answers that were paid for kept. Raises UnknownName, UsageError for a row that cleaning leaves as it is
    or in which it masks personal data (undo: that no one keeps), LeaseHeld while the file is being worked.
    """
    if not reason.strip():
        raise UsageError("say why: --reason TEXT; it is kept with the row and in the audit log")
    by_file: dict[str, list[int]] = {}
    for name, number in places:
        by_file.setdefault(name, []).append(number)

    def write(connection: Connection) -> Kept:
        found = Kept([], [], [])
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
    changing: dict[ConversationId, list[str]] = {}
    if not undo and task is not None and cursors.is_done(connection, task.id, Stage.CLEAN):
        changing = _changing(connection, task, verdicts, kept)
    unchanged = {identifier for identifier, entry in kept.items() if entry.unchanged} | set(changing)
    for identifier, number in zip(ids, numbers, strict=True):
        verdict = verdicts.get(identifier)
        is_dropped = verdict is not None and (
            verdict.state is RowState.DROPPED or verdict.duplicate_of is not None or identifier in kept
        )
        if undo and identifier not in kept:
            raise UsageError(
                f"{name}:{number} is not kept by anybody; `corpus duplicates {name} --kept-anyway` lists those"
            )
        if not undo and not is_dropped and identifier not in changing:
            if task is not None and not cursors.is_done(connection, task.id, Stage.CLEAN):
                raise UsageError(
                    f"the next run decides again about {name}:{number}: `corpus run {name} --to clean`, then keep it; "
                    "several rows can be kept at once"
                )
            raise UsageError(f"cleaning neither drops nor changes {name}:{number}: there is nothing to keep it from")
    if undo:
        kept_rows.remove(connection, ids)
    else:
        kept_rows.add(connection, ids, who, reason, unchanged=unchanged)
    others: list[str] = []
    if task is not None and verdicts:
        by_rule = undo or bool(changing) or any(verdict.state is RowState.DROPPED for verdict in verdicts.values())
        others = clean_again(connection, file, task.id, who, rules=by_rule)
        rewritten = [one for one in ids if one in changing or (undo and kept[one].unchanged)]
        augmented.remove_made_of(connection, task.id, rewritten)
    detail: dict[str, Any] = {"rows": list(numbers), "reason": reason}
    if changing:  # what goes out now that rules would have changed
        detail["unchanged_by"] = {str(split_id(one)[1]): rules for one, rules in sorted(changing.items())}
        found.unchanged.extend(f"{name}:{number}" for number in detail["unchanged_by"])
    audit_log.log(connection, who, "keep undone" if undo else "keep", name, detail)
    found.rows.extend(f"{name}:{number}" for number in numbers)
    found.run.extend(other for other in (name, *others) if other not in found.run)


def _changing(
    connection: Connection,
    task: tasks.Task,
    verdicts: Mapping[ConversationId, cleaned.Verdict],
    kept: Collection[ConversationId],
) -> dict[ConversationId, list[str]]:
    """The rules that changed something in each of those rows that cleaning changed and did not drop, in their order.

    A row in which personal data were masked stays as it is, for they would go out. Raises UsageError unless it is kept."""
    found = {
        identifier: changing_rules(verdict.changes)
        for identifier, verdict in verdicts.items()
        if verdict.state is RowState.KEPT and verdict.duplicate_of is None
    }
    found = {identifier: rules for identifier, rules in found.items() if rules}
    if found:
        steps = parse(recipes.recipe_row(connection, task.recipe_id).body, origin="recipe").clean.rules
        masking = {rule.name for rule in build(steps) if isinstance(rule, MaskingRule)}
        for identifier in [one for one, rules in found.items() if masking.intersection(rules)]:
            masks = masking.intersection(found.pop(identifier))
            if identifier not in kept:
                name, number = dataset_files.file_by_id(connection, task.file_id).name, split_id(identifier)[1]
                raise UsageError(
                    f"{name}:{number} holds what {' and '.join(sorted(masks))} masks, and it would go out if the row were kept"
                    f" as its source brought it: it stays as cleaning leaves it. `corpus show {name}:{number}` says what was"
                    " masked; a kind of data that may go out is set to `keep` in the recipe"
                )
    return found


def _check_exist(connection: Connection, file: dataset_files.DatasetFile, ids: Sequence[ConversationId]) -> None:
    missing = sorted(set(ids) - set(rows.by_ids(connection, ids)))
    if missing:
        raise UnknownName(
            "row", f"{file.name}:{split_id(missing[0])[1]}", [f"{file.name}:1 to {file.name}:{file.lines or 0}"]
        )
