"""What a worker may begin now, the fairest first: `corpus worker` asks it again after each file.

A consumer for whom nothing is worked comes before one for whom something is, then the one that was served longest ago, then the
file that was. What somebody asked to be started comes first of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.service.queries.status import why_again
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import cursors, exports, leases, pauses, run_workers, start_requests, tasks
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.pauses import PauseFlag

# what no worker moves on by itself: a person must look
_WAITS_FOR_A_PERSON = frozenset({Status.FAILED, Status.BLOCKED})


class Due(NamedTuple):
    """A dataset file with something to do. stage: where it goes on; status: how that stands; run_id: who worked it last.

    request: the number of a person's request to start it, if there is one, and to: the last stage that is wanted.
    """

    file: DatasetFile
    stage: Stage
    status: Status
    run_id: str | None
    to: Stage
    request: int | None


def due(connection: Connection, to: Stage, consumers: Collection[str] = ()) -> list[Due]:
    """What may begin now up to a stage, fairest first; of these consumers only, if any are named."""
    found = tasks.current_tasks(connection)
    known = [task.id for _, task in found if task is not None]
    positions, places = cursors.task_cursors(connection, known), exports.places(connection, known)
    flags = pauses.active(connection)
    wishes = {wish.file_name: wish for wish in start_requests.waiting(connection)}
    held = {lease.task_id: lease for lease in leases.live(connection)}
    worked = {
        worker.file_name for worker in run_workers.listed(connection) if not worker.is_lost and not worker.is_missing
    }
    served = leases.last_acquired(connection)
    busy, last = Counter[str](), dict[str, int]()
    waiting: list[tuple[Due, int]] = []
    for file, task in found:
        at = 0 if task is None else served.get(task.id, 0)
        last[file.consumer] = max(at, last.get(file.consumer, 0))
        if file.name in worked or (task is not None and task.id in held):
            busy[file.consumer] += 1
            continue
        if consumers and file.consumer not in consumers:
            continue
        wish = wishes.get(file.name)
        last_stage = to if wish is None else wish.stage
        for stage in list(Stage)[: list(Stage).index(last_stage) + 1]:
            own = positions.get((task.id, stage), []) if task is not None else []
            status = cursors.stage_status(own) if own else Status.PENDING
            if status is Status.DONE and stage is Stage.EXPORT and task is not None and task.id in places:
                status = Status.DONE if why_again(task, places[task.id]) is None else Status.PENDING
            if status is not Status.DONE:
                run_id = next((cursor.run_id for cursor in own if cursor.run_id), None)
                one = Due(file, stage, status, run_id, last_stage, None if wish is None else wish.id)
                if _may_begin(one, flags):
                    waiting.append((one, at))
                break
    waiting.sort(
        key=lambda pair: (
            pair[0].request is None,
            busy[pair[0].file.consumer],
            last[pair[0].file.consumer],
            pair[1],
            pair[0].file.id,
        )
    )
    return [one for one, _ in waiting]


def _may_begin(one: Due, flags: list[PauseFlag]) -> bool:
    if any(flag.covers(one.file.name, one.stage) for flag in flags):
        return False
    return one.request is not None or one.status not in _WAITS_FOR_A_PERSON
