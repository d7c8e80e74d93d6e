"""Whether the answers of a run are read by a process of their own (`llm.reader`)."""

from __future__ import annotations

import asyncio

from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm.client import RESPONSE_CAP_BYTES
from corpus_pipeline.llm.reader.channel import Channel
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cursors

# a process takes the processor time of some 250 calls to start, and 40 MB: fewer samples are not worth it
_FROM_SAMPLES = 200


async def start(held: Held, plan: dict[str, Prepared], access: ModelAccess) -> Channel | None:
    """The reader of a run, where one is worth it or the settings want one."""
    wanted = access.reader
    if wanted == "never" or (wanted == "auto" and await asyncio.to_thread(_samples_left, held, plan) < _FROM_SAMPLES):
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


def _samples_left(held: Held, plan: dict[str, Prepared]) -> int:
    found = held.fetch(cursors.stage_cursors, held.work.task.id, Stage.AUGMENT)
    most = held.work.limit
    rows = {
        cursor.task_type: (cursor.total_rows or 0) - cursor.processed_rows
        for cursor in found
        if cursor.task_type in plan
    }
    return sum(
        max(0, many if most is None else min(many, most)) * plan[label].strategy.params.samples
        for label, many in rows.items()
    )
