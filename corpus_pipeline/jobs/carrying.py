"""A recipe changes: the stages that it leaves as they were stay done, with their rows; only what it touches is to do."""

from __future__ import annotations

from sqlalchemy import Connection

from corpus_pipeline.errors import LeaseHeld
from corpus_pipeline.jobs.completion_report import completion_report
from corpus_pipeline.model import TaskId
from corpus_pipeline.recipe import Recipe, parse
from corpus_pipeline.states import Stage
from corpus_pipeline.store import carrying, completion_reports, cursors, dataset_files, leases, recipes, tasks
from corpus_pipeline.store.dataset_files import DatasetFile

_CARRIED = (Stage.INGEST, Stage.CLEAN, Stage.AUGMENT)  # an export names its recipe: it is written again


def carry(connection: Connection, file: DatasetFile, recipe_id: int, who: str) -> list[Stage]:
    """Give the task of a dataset file under this recipe what is done under the recipe that it is bound to, as far as both say
    the same. To be called in the transaction that binds it. Returns the stages that are done by it.

    A stage that is being worked, and what is behind it, stays to be done.
    """
    if recipe_id == file.recipe_id:
        return []
    source = tasks.known_task(connection, file.id, file.recipe_id)
    found = [] if source is None else _carry(connection, file, source.id, file.recipe_id, recipe_id, who)
    return found[: _start_over_too(connection, file, recipe_id, who)]


def carry_on(connection: Connection, worked: DatasetFile, task_id: TaskId, recipe_id: int, who: str) -> list[Stage]:
    """The same when a stage was finished under a recipe that its dataset file is bound to no longer."""
    file = dataset_files.file_by_id(connection, worked.id)
    if file.recipe_id == recipe_id:
        return []
    return _carry(connection, file, task_id, recipe_id, file.recipe_id, who)


def _carry(
    connection: Connection, file: DatasetFile, source: TaskId, old_id: int, new_id: int, who: str
) -> list[Stage]:
    old, new = _recipe(connection, old_id), _recipe(connection, new_id)
    target: TaskId | None = None
    found: list[Stage] = []
    replaced = False
    for number, stage in enumerate(_CARRIED, start=1):
        sections = [one.value for one in _CARRIED[:number]]
        done = cursors.is_done(connection, source, stage)
        if not done or old.section_hash(*sections) != new.section_hash(*sections):
            break
        target = target or tasks.task_for(connection, file.id, new_id).id
        if not _is_free(connection, source, stage, file.name) or not _is_free(connection, target, stage, file.name):
            break
        if replaced or not carrying.is_copied(connection, source, target, stage):
            replaced |= bool(cursors.stage_cursors(connection, target, stage))
            carrying.copy_stage(connection, source, target, stage, who=who, reason=f"as under recipe {old.name}")
            carrying.take_version(connection, source, target, replaced=replaced)
            task = tasks.task_by_id(connection, target)
            report = completion_report(connection, file, task, new, stage)
            completion_reports.save(connection, target, stage, report, None)
        found.append(stage)
    if replaced and target is not None:
        # what the task had made of other rows than those that it has now
        _start_over_from(connection, target, file, list(Stage).index(found[-1]) + 1, who, cursors.ROWS_REPLACED)
    return found


def _start_over_too(connection: Connection, file: DatasetFile, recipe_id: int, who: str) -> int:
    """Start over what was started over under another recipe that says the same of it, and is not done again since: who asked
    for that has it whatever recipe comes. Returns how many of the first stages are left as they are."""
    known = tasks.known_task(connection, file.id, recipe_id)
    if known is None:
        return len(_CARRIED)
    recipe = _recipe(connection, recipe_id)
    others = [tasks.task_by_id(connection, one) for one in tasks.tasks_of_file(connection, file.id) if one != known.id]
    for number, stage in enumerate(_CARRIED):
        since = cursors.last_worked(connection, known.id, stage)
        if not since or not _is_free(connection, known.id, stage, file.name):
            break
        sections = [one.value for one in _CARRIED[: number + 1]]
        if any(
            cursors.started_over(connection, other.id, stage) > since
            and not cursors.is_done(connection, other.id, stage)
            and _recipe(connection, other.recipe_id).section_hash(*sections) == recipe.section_hash(*sections)
            for other in others
        ):
            _start_over_from(connection, known.id, file, number, who, cursors.STARTED_OVER)
            tasks.touch_content(connection, known.id)
            return number
    return len(_CARRIED)


def _start_over_from(
    connection: Connection, task_id: TaskId, file: DatasetFile, number: int, who: str, reason: str
) -> None:
    for stage in list(Stage)[number:]:
        leases.bar(connection, task_id, stage, file.name)
        cursors.start_over(connection, task_id, stage, who=who, reason=reason)
        carrying.empty_stage(connection, task_id, stage)


def _is_free(connection: Connection, task_id: TaskId, stage: Stage, name: str) -> bool:
    try:
        leases.bar(connection, task_id, stage, name)
    except LeaseHeld:
        return False
    return True


def _recipe(connection: Connection, recipe_id: int) -> Recipe:
    row = recipes.recipe_row(connection, recipe_id)
    return parse(row.body, origin=f"recipe {row.name}")
