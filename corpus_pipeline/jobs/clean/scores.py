"""Cleaning by scores: whose values the rules of a recipe read, decided when the rule pass starts."""

from __future__ import annotations

from sqlalchemy import Connection

from corpus_pipeline.errors import UsageError
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.model import FileId, TaskId
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.store import row_values

Sources = dict[tuple[str, str], TaskId]  # by task and field: the work whose values are read


def sources_of(connection: Connection, work: Work) -> Sources:
    """See `sources`. What the work itself makes comes after cleaning and is never read by it."""
    return sources(connection, work.file.id, work.file.name, work.recipe, work.task.id)


def sources(connection: Connection, file_id: FileId, name: str, recipe: Recipe, own: TaskId | None = None) -> Sources:
    """Where the values stand that the cleaning rules of a recipe read: in the newest work under another recipe.

    Raises UsageError for a value that no row of the file has.
    """
    named = {value for rule in build(recipe.clean.rules) for value in rule.values}
    wanted = [(task, field) for task, _, field in (value.partition(".") for value in sorted(named))]
    found = row_values.newest_tasks(connection, file_id, wanted, without=own or TaskId(0))
    for task, field in wanted:
        if (task, field) not in found:
            raise UsageError(
                f"clean.rules: score: no row of {name} has a value {task}.{field} yet. Scores are made after cleaning: run a"
                f" recipe with the task {task} on {name} first, then bind this one; or choose by them in export.select."
                " Values of the record itself are record.KEY"
            )
    return found
