"""Whether the answers of a run are read by a process of their own (`llm.reader`)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared, samples_by_label
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm.client import RESPONSE_CAP_BYTES
from corpus_pipeline.llm.reader.channel import Channel
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cursors

# a process takes the processor time of some 250 calls to start, and 40 MB: fewer samples are not worth it
_FROM_SAMPLES = 200


async def start(held: Held, plan: dict[str, Prepared], access: ModelAccess) -> Channel | None:
    """The reader of a run, where one is worth it or the settings want one.

    plan: what is asked now, perhaps one of several groups.
    """
    wanted = access.reader
    if wanted == "never" or (wanted == "auto" and not await asyncio.to_thread(is_worth_it, held, plan)):
        return None
    labels = [label for p in plan.values() for own in (p, p.gate) if own is not None for label in own.labels]
    places = {place.key: place for place, _ in map(access.places.split, labels)}
    reader = Channel(
        held.work.spool_folder,
        held.work.task.id,
        [place.endpoint for place in places.values()],
        connections=held.work.recipe.augment.concurrency + 10,
        response_cap_bytes=RESPONSE_CAP_BYTES,
    )
    return reader if await reader.start() else None


def is_worth_it(held: Held, plan: Collection[str]) -> bool:
    """Whether a reader is worth its start: the whole stage has that many samples, and some of these strategies are left.

    All groups of strategies count, and what earlier runs did: a stage that is killed in its last group, or for the second
    time, has as much to lose.
    """
    most = held.work.limit
    samples = samples_by_label(held.work.recipe.augment)
    total, left = 0, False
    for cursor in held.fetch(cursors.stage_cursors, held.work.task.id, Stage.AUGMENT):
        rows = cursor.total_rows or 0
        total += (rows if most is None else min(rows, most)) * samples.get(cursor.task_type, 1)
        left |= cursor.task_type in plan and cursor.processed_rows < rows
    return left and total >= _FROM_SAMPLES
