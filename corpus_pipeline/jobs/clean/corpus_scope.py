"""The search of the dedup pass over all files that compare in the same way, at a cost that follows our own file."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import FileId, TaskId
from corpus_pipeline.recipe import DedupSection, parse
from corpus_pipeline.stages.clean.dedup.duplicates import DuplicateArrays
from corpus_pipeline.stages.clean.dedup.run_cache import KeptRuns, Member
from corpus_pipeline.stages.clean.dedup.schemes import Scheme, scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import SIGNATURE_COLUMNS
from corpus_pipeline.stages.clean.dedup.sorted_runs import FileRun, Known, file_run, find_new
from corpus_pipeline.states import DuplicateKind
from corpus_pipeline.store import cleaned, recipes
from corpus_pipeline.store.cleaned import ComparedTask, KnownDuplicate

_FOLDER = "compared"  # in the work folder; may be removed at any time
_KINDS = {True: DuplicateKind.EXACT, False: DuplicateKind.NEAR}


def in_corpus(held: Held, rule_pass: str) -> tuple[DuplicateArrays, dict[FileId, TaskId]]:
    """Every duplicate among pairs with a row of this file, and the task of each file that was compared.

    A file whose rule pass ends later compares itself with us: of two passes at the same time at least one sees the other.
    """
    dedup = held.work.recipe.clean.dedup
    scheme = scheme_named(dedup.features, dedup.params)
    tasks = {Member(task.file_id, task.state): task for task in _comparable(held, rule_pass)}
    own = next(member for member, task in tasks.items() if task.task_id == held.work.task.id)
    others = [member for member in tasks if member != own]
    kept = KeptRuns(held.work.work_folder / _FOLDER / _name(dedup))

    def run_of(member: Member) -> FileRun:
        columns = signature_columns(scheme) if dedup.near else 0
        return file_run(*held.fetch(cleaned.prints, tasks[member].task_id, columns), dedup.threshold)

    known, missing = kept.known(others)
    for member in missing:
        kept.keep(run_of(member), member, list(tasks))
    if missing:
        known, missing = kept.known(others)
        known += [Known(run_of(member), np.array([member.file]), True) for member in missing]  # the disk is full
    new = run_of(own)
    found = find_new(known, new, scheme, dedup.threshold, exact=dedup.exact, near=dedup.near)
    if kept.known([own])[1]:
        kept.keep(new, own, list(tasks))
    return found, {task.file_id: task.task_id for task in tasks.values()}


def entries(found: DuplicateArrays) -> list[KnownDuplicate]:
    """The same as they are stored."""
    columns = found.ids, found.nearest, found.duplicate_of, found.exact, found.distance
    return [
        KnownDuplicate(identifier, nearest, keeper, _KINDS[exact], distance)
        for identifier, nearest, keeper, exact, distance in zip(*(c.tolist() for c in columns), strict=True)
    ]


def signature_columns(scheme: Scheme) -> int:
    """The width of a stored signature, in numbers of 32 bits."""
    return SIGNATURE_COLUMNS if scheme.verified_threshold is not None else 0


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
