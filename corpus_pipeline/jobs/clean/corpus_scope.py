"""The search of the dedup pass over all files that compare in the same way, at a cost that follows our own file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isnan

import numpy as np

from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import ROW_BITS, FileId, TaskId
from corpus_pipeline.recipe import DedupSection, parse
from corpus_pipeline.stages.clean.dedup.candidates import Limits
from corpus_pipeline.stages.clean.dedup.duplicates import KINDS, DuplicateArrays, Rows, Rule, WordingOf
from corpus_pipeline.stages.clean.dedup.edits import Bounds
from corpus_pipeline.stages.clean.dedup.run_cache import KeptRuns, Member
from corpus_pipeline.stages.clean.dedup.signatures import SIGNATURE_COLUMNS
from corpus_pipeline.stages.clean.dedup.sorted_runs import FileRun, Known, file_run, find_new
from corpus_pipeline.stages.clean.dedup.verification import Wording, wording_of
from corpus_pipeline.store import cleaned, recipes
from corpus_pipeline.store.cleaned import ComparedTask, KnownDuplicate

_FOLDER = "compared"  # in the work folder; may be removed at any time


def in_corpus(held: Held, rule_pass: str) -> tuple[DuplicateArrays, dict[FileId, TaskId]]:
    """Every duplicate among pairs with a row of this file, and the task of each file that was compared.

    A file whose rule pass ends later compares itself with us: of two passes at the same time at least one sees the other.
    """
    dedup = held.work.recipe.clean.dedup
    rule = rule_of(dedup)
    tasks = {Member(task.file_id, task.state): task for task in _comparable(held, rule_pass)}
    own = next(member for member, task in tasks.items() if task.task_id == held.work.task.id)
    others = [member for member in tasks if member != own]
    kept = KeptRuns(held.work.work_folder / _FOLDER / _name(dedup))

    def run_of(member: Member) -> FileRun:
        return file_run(rows_of(held, tasks[member].task_id), rule)

    known, missing = kept.known(others)
    for member in missing:
        kept.keep(run_of(member), member, list(tasks))
    if missing:
        known, missing = kept.known(others)
        known += [Known(run_of(member), np.array([member.file]), True) for member in missing]  # the disk is full
    new = run_of(own)
    owner = {task.file_id: task.task_id for task in tasks.values()}
    found = find_new(known, new, rule, texts_of(held, owner))
    if kept.known([own])[1]:
        kept.keep(new, own, list(tasks))
    return found, owner


def entries(found: DuplicateArrays) -> list[KnownDuplicate]:
    """The same as they are stored."""
    return [
        KnownDuplicate(identifier, nearest, keeper, KINDS[kind], distance, *map(_measured, likeness))
        for identifier, nearest, keeper, kind, distance, *likeness in zip(*(c.tolist() for c in found), strict=True)
    ]


def rule_of(dedup: DedupSection) -> Rule:
    """The rule of a recipe."""
    given = dedup.model_dump()
    limits = Limits(**{name: given[name] for name in Limits._fields})
    return Rule(dedup.exact, dedup.near, limits, Bounds(**{name: given[name] for name in Bounds._fields}))


def rows_of(held: Held, task_id: TaskId) -> Rows:
    """What is compared of the rows of a task."""
    columns = SIGNATURE_COLUMNS if held.work.recipe.clean.dedup.near else 0
    found = held.fetch(cleaned.prints, task_id, columns)
    if columns:
        return Rows(*found)
    return Rows(*found)._replace(signatures=np.zeros((len(found.ids), SIGNATURE_COLUMNS), np.uint32))


def texts_of(held: Held, owner: Mapping[FileId, TaskId]) -> WordingOf:
    """The cleaned texts of rows by id; owner: the task of each file."""

    def of_rows(ids: Sequence[int]) -> Mapping[int, Wording]:
        by_file: dict[FileId, list[int]] = {}
        for identifier in ids:
            by_file.setdefault(FileId(identifier >> ROW_BITS), []).append(identifier)
        found: dict[int, Wording] = {}
        for file, own in by_file.items():
            turns = held.fetch(cleaned.turns_of, owner[file], own)
            found |= {identifier: wording_of(turns[identifier]) for identifier in own if identifier in turns}
        return found

    return of_rows


def _measured(value: float) -> float | None:
    return None if isnan(value) else value


def _comparable(held: Held, rule_pass: str) -> list[ComparedTask]:
    """This task and every current one that compares in the same way and has its rule pass behind it."""
    work = held.work
    alike: dict[int, bool] = {work.task.recipe_id: True}
    found = []
    for task in held.fetch(cleaned.compared_tasks, rule_pass, work.task.id):
        if task.recipe_id not in alike:
            other = _dedup_of(held.fetch(recipes.recipe_row, task.recipe_id).body)
            alike[task.recipe_id] = other == work.recipe.clean.dedup
        if alike[task.recipe_id]:
            found.append(task)
    return found


@lru_cache(maxsize=1024)
def _dedup_of(recipe_body: str) -> DedupSection:
    return parse(recipe_body).clean.dedup


def _name(dedup: DedupSection) -> str:
    return hashlib.sha256(dedup.model_dump_json().encode()).hexdigest()[:16]
