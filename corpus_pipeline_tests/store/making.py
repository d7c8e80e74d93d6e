"""Rows for the tests of the store: each call makes a dataset file and a task that no other test knows."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.model import Conversation, FileId, TaskId, Turn
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Guard, Store, cursors, dataset_files, leases, recipes, rows, tasks

_numbers = itertools.count(1)
PARSE = "parse"


class Made(NamedTuple):
    """A registered dataset file and its task."""

    name: str
    file_id: FileId
    task_id: TaskId


def task(store: Store) -> Made:
    name = f"file-{next(_numbers)}"

    def make(connection: Connection) -> Made:
        recipe = recipes.save_recipe(connection, "recipe", "a" * 64, "name: recipe")
        values = {
            "name": name,
            "path": "/x",
            "sha256": "b" * 64,
            "bytes": 3,
            "container": "jsonl",
            "compression": "none",
        }
        values |= {"format": "openai", "columns": {}, "consumer": "me", "recipe_id": recipe}
        file_id = dataset_files.add_file(connection, values)
        return Made(name, file_id, tasks.task_for(connection, file_id, recipe).id)

    return store.write(make)


def held(store: Store, made: Made, stage: Stage = Stage.INGEST, owner: str = "me", ttl_ms: int = 30_000) -> Guard:
    """Take the lease and open the stage's cursor."""
    lease = store.write(lambda c: leases.acquire(c, made.task_id, stage, owner, ttl_ms))
    guard = Guard(made.task_id, stage, owner, lease.epoch, lease.seq)
    store.write(lambda c: cursors.open_cursors(c, made.task_id, stage, [PARSE], made.file_id), guard)
    return guard


def running(store: Store, made: Made, guard: Guard) -> None:
    store.write(lambda c: cursors.set_status(c, made.task_id, guard.stage, Status.RUNNING, who="me"), guard)


def conversations(first: int, last: int) -> list[Conversation]:
    numbers = range(first, last + 1)
    return [Conversation(n, (Turn(prompt=f"p{n}", response=f"r{n}"),), "{}", None, n, n * 10, 10) for n in numbers]


def ingest(store: Store, made: Made, number: int) -> None:
    """Conversations 1..number of the file."""
    store.write(lambda c: rows.insert_batch(c, store.backend, made.file_id, conversations(1, number), []))


def cursor(store: Store, made: Made, stage: Stage = Stage.INGEST) -> cursors.Cursor:
    return store.fetch(cursors.stage_cursors, made.task_id, stage)[0]
