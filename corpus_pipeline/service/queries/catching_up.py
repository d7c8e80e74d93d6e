"""What a change of the recipe left as it was: stages that need not be asked for again by anybody."""

from __future__ import annotations

from sqlalchemy import Connection

from corpus_pipeline.recipe import Recipe, parse
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import cursors, recipes, tasks
from corpus_pipeline.store.dataset_files import DatasetFile


def unchanged(connection: Connection, file: DatasetFile, recipe: Recipe) -> list[Stage]:
    """The first stages of a dataset file that are done under another recipe whose sections for them are the same. Working
    them again makes the same rows, of the stored answers."""
    most = 0
    for task_id in tasks.tasks_of_file(connection, file.id):
        task = tasks.task_by_id(connection, task_id)
        if task.recipe_id == file.recipe_id:
            continue
        row = recipes.recipe_row(connection, task.recipe_id)
        other = parse(row.body, origin=f"recipe {row.name}")
        states = cursors.task_cursors(connection, [task_id])
        alike = 0
        for number, stage in enumerate(Stage, start=1):
            sections = [one.value for one in list(Stage)[:number]]
            done = cursors.stage_status(states.get((task_id, stage), [])) is Status.DONE
            if not done or other.section_hash(*sections) != recipe.section_hash(*sections):
                break
            alike = number
        most = max(most, alike)
    return list(Stage)[:most]
