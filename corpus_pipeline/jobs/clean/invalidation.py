"""Corpus scope: what was dropped because it repeats rows that count no longer is compared again, so that none of it is lost.

The rows of a file stop counting when it is replaced, bound to a recipe that cleans otherwise, or cleaned again.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from corpus_pipeline.jobs.clean.stage import DEDUP
from corpus_pipeline.model import TaskId
from corpus_pipeline.recipe import CleanSection, parse
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cleaned, cursors, dataset_files, leases, purges, recipes, tasks
from corpus_pipeline.store.dataset_files import DatasetFile


def clean_again(connection: Connection, file: DatasetFile, task_id: TaskId, who: str, *, rules: bool) -> list[str]:
    """Let the next run decide about the rows of a task again, with what people keep; answers that were paid for stay.

    rules: also the rule pass, not only the duplicates. Returns the other files whose rows are compared again, for
    `corpus run`. Raises LeaseHeld while a stage of the task is being worked.
    """
    others = compare_without(connection, file, who) if rules else []
    compare_again(connection, [task_id], who)
    if rules:
        cursors.start_over(connection, task_id, Stage.CLEAN, who=who)
        cleaned.remove_rule_pass(connection, task_id)
    return others


def compare_again(connection: Connection, task_ids: Iterable[TaskId], who: str) -> list[TaskId]:
    """The next run compares the rows of these tasks again, and augments those that come back: nothing that is done already is
    done twice. Returns the tasks. Raises LeaseHeld while somebody works on one of them."""
    found = sorted(set(task_ids))
    for task_id in found:
        name = dataset_files.file_by_id(connection, tasks.task_by_id(connection, task_id).file_id).name
        for stage in (Stage.CLEAN, Stage.AUGMENT, Stage.EXPORT):
            leases.bar(connection, task_id, stage, name)
        cleaned.remove_duplicates(connection, task_id)
        cursors.start_over(connection, task_id, Stage.CLEAN, who=who, task_type=DEDUP)
        cursors.start_over(connection, task_id, Stage.AUGMENT, who=who)
        tasks.touch_content(connection, task_id)
    return found


def compare_without(connection: Connection, file: DatasetFile, who: str) -> list[str]:
    """The rows of this file stop counting: whatever repeats them, in other files, is compared again. To be called in the
    transaction that makes it so. Returns the names of those files that are current, for `corpus run`.

    Raises LeaseHeld while this file or one that is compared with it is being cleaned: it may be finding pairs just now.
    """
    if not _is_compared(connection, file.recipe_id):
        return []
    others = {
        task.id: other.name
        for other, task in tasks.current_tasks(connection)
        if task is not None and other.id != file.id and _is_compared(connection, task.recipe_id)
    }
    own = tasks.tasks_of_file(connection, file.id)
    for task_id in sorted({*others, *own}):
        leases.bar(connection, task_id, Stage.CLEAN, others.get(task_id, file.name))
    hanging = purges.repeating(connection, purges.clustered(connection, file.id))
    again = compare_again(connection, {one.task_id for one in hanging} - set(own), who)
    return sorted(others[task_id] for task_id in again if task_id in others)


def compare_otherwise(connection: Connection, file: DatasetFile, recipe_id: int, who: str) -> list[str]:
    """As `compare_without`, when a file is bound to this recipe: a recipe that cleans in the same way changes nothing."""
    if recipe_id == file.recipe_id or _clean_section(connection, recipe_id) == _clean_section(
        connection, file.recipe_id
    ):
        return []
    known = tasks.known_task(connection, file.id, recipe_id)
    if known is not None and _is_compared(connection, recipe_id):  # it was worked under it before others changed
        compare_again(connection, [known.id], who)
    return compare_without(connection, file, who)


def _is_compared(connection: Connection, recipe_id: int) -> bool:
    return _clean_section(connection, recipe_id).dedup.scope == "corpus"


def _clean_section(connection: Connection, recipe_id: int) -> CleanSection:
    return parse(recipes.recipe_row(connection, recipe_id).body).clean
