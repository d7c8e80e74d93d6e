"""Paid answers on disk at the moment they arrive, before the commit that they wait for: a kill or a database that is away,
full or read-only loses none of them.

A worker whose answers are read by a process of its own (`llm.reader`) finds them there as they came; any other one appends what
it read to files of its own. Both lie below CORPUS_HOME/spool. What is left over is taken in by the next start of the task.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline import record_files
from corpus_pipeline.errors import Interrupted
from corpus_pipeline.jobs.augment import settlements
from corpus_pipeline.jobs.augment.charging import Charge, Charger
from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm import prices
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer
from corpus_pipeline.llm.prices import TokenPrice
from corpus_pipeline.llm.reader import left
from corpus_pipeline.llm.reader.awaited import waiting
from corpus_pipeline.llm.styles import STYLES
from corpus_pipeline.model import Answer, NanoDollars, Request, TaskId, Usage
from corpus_pipeline.record_files import RecordFiles, Segment
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store import Store, ledger
from corpus_pipeline.store.ledger import Recovered, Settlement

log = logging.getLogger(__name__)

_TELL_SECONDS = 2.0  # a wait that is shorter is not spoken of
_Charging: TypeAlias = Callable[[Row, Request, Answer], Charge]


class Spool:
    """The answers of one worker on one task. Use from one event loop."""

    def __init__(self, folder: Path, task_id: TaskId, **room: int) -> None:
        self._folder = folder
        self._files = RecordFiles(folder, f"{task_id}-{os.getpid()}-{os.urandom(4).hex()}", "spool", **room)
        self._is_lame = False

    def append(self, settlement: Settlement, key: str, answer: Answer) -> Segment | None:
        """Write an answer down; returns where, for `committed`. None where it cannot be: the commit is still to come."""
        try:
            return self._files.append(orjson.dumps(_plain(settlement, key, answer)))
        except (OSError, TypeError) as error:  # TypeError: a text that is no Unicode
            if not self._is_lame:
                self._is_lame = True
                log.warning("answers cannot be spooled below %s: %s", self._folder, error)
            return None

    def committed(self, segments: Iterable[Segment]) -> None:
        """These records are in the database."""
        self._files.done(segments)

    def close(self) -> None:
        """Give up what is committed and leave the rest for the next start."""
        self._files.close()


# --- collecting -------------------------------------------------------------------------------------------------------------


def left_over(folder: Path, task_id: TaskId) -> list[Path]:
    """The files that earlier workers of a task wrote themselves."""
    return sorted(folder.glob(f"{task_id}-*.spool")) if folder.is_dir() else []


def settle_all(store: Store, folder: Path) -> int:
    """Collect what workers that are dead left, of any task, and remove their files: a purge must find every answer in the
    database. Returns how many answers."""
    for _ in waiting(folder):
        pass
    own = [path for path in sorted(folder.glob("*.spool")) if record_files.is_left(path)] if folder.is_dir() else []
    raw = [path for path in left.files(folder) if record_files.is_left(path)]
    if not own and not raw:
        return 0
    came, found = list(left.answers(raw)), read(own)

    def settle(connection: Connection) -> int:
        return ledger.recover(connection, store.backend, [*found, *_parsed(connection, came, _as_intended)])

    count = store.write(settle, repeatable=True, name="spooled answers")
    record_files.remove([*own, *raw])
    return count


def take_late_answers(held: Held, plan: dict[str, Prepared]) -> int:
    """Store what the readers of dead workers of the task wrote, and wait for those that still read. Returns how many answers.

    Raises Interrupted when a stop comes first: the next start takes them in.
    """
    _wait_for_readers(held)
    paths = left.files(held.work.spool_folder, held.work.task.id)
    came, charger = list(left.answers(paths)), Charger()

    def charge(row: Row, request: Request, answer: Answer) -> Charge:
        prepared = _prepared_for(plan, row)
        return _as_intended(row, request, answer) if prepared is None else charger.charge(prepared, request, answer)

    def take_in(connection: Connection) -> int:
        return ledger.recover(connection, held.store.backend, _parsed(connection, came, charge))

    count = held.commit(take_in) if came else 0
    if count:
        log.info("%d answers that had arrived before and after the last worker died are taken in", count)
    record_files.remove(paths)
    return count


def _wait_for_readers(held: Held) -> None:
    begun, told = time.monotonic(), False
    for known in waiting(held.work.spool_folder, held.work.task.id):
        held.lease.check()
        if not told and time.monotonic() - begun >= _TELL_SECONDS:
            told = True
            held.work.narrator.notice(
                f"{held.work.stage} of {held.work.file.name}: {known.calls} calls of the worker that died are still answered;"
                f" they are waited for, at most {max(0.0, known.until - time.time()):.0f} s, and not paid again"
            )
        if held.work.stop.is_set():
            raise Interrupted(f"stopped by {held.work.stop.reason}")


def _parsed(connection: Connection, came: Iterable[left.Arrived], charge: _Charging) -> list[Recovered]:
    """Answers as they came, as far as their attempts are not settled and they are answers."""
    by_id = {one.attempt_id: one for one in came}
    return [
        found
        for row in ledger.recoverable(connection, list(by_id))
        if (found := _recovered_raw(row, by_id[row.id], charge)) is not None
    ]


def _recovered_raw(row: Row, came: left.Arrived, charge: _Charging) -> Recovered | None:
    request = Request(row.model, (), came.limit)
    try:
        answer = STYLES[came.style].parse(came.content, request, request_id=came.request_id)
    except (BrokenAnswer, ErrorAnswer):
        return None  # it stays booked as unknown
    if answer.usage.estimated:
        answer = answer._replace(usage=answer.usage._replace(input_tokens=came.input_tokens))
    settlement = settlements.answered(row.id, answer, charge(row, request, answer), came.latency_ms)
    return Recovered(settlement, row.request_key, answer)


def _prepared_for(plan: dict[str, Prepared], row: Row) -> Prepared | None:
    """What an attempt was made for, with the prices of its model."""
    own = plan.get(row.strategy)
    for prepared in (own, own.gate if own is not None else None):
        for target in (*prepared.targets, *prepared.fallbacks) if prepared is not None else ():
            if prepared is not None and target.label == row.model:
                return prepared.at(target)
    return None


def _as_intended(row: Row, _: Request, answer: Answer) -> Charge:
    """What an answer costs at the prices of its intent."""
    price = TokenPrice(row.input_price, row.cached_price, row.output_price, row.cache_write_price)
    return Charge(prices.cost(answer.usage, price), price)


def read(paths: Iterable[Path]) -> list[Recovered]:
    """The answers in files that workers wrote themselves, as far as they are whole; what is not is told in the log."""
    return [found for path in paths for found in _read(path)]


def _read(path: Path) -> Iterator[Recovered]:
    for record in record_files.records(path, log.warning):
        try:
            found = _recovered(orjson.loads(record))
        except (ValueError, TypeError):
            log.warning("%s: a record is none of this version, and left out", path)
            continue
        yield found


def _plain(settlement: Settlement, key: str, answer: Answer) -> list[Any]:
    body = settlement._replace(usage=tuple(settlement.usage))  # type: ignore[arg-type]
    prices = None if settlement.prices is None else tuple(settlement.prices)
    return [tuple(body._replace(prices=prices)), key, tuple(answer._replace(usage=None))]  # type: ignore[arg-type]


def _recovered(plain: list[Any]) -> Recovered:
    settled, key, answer = plain
    ended = Settlement(*settled)
    usage = Usage(*ended.usage)
    prices = None if ended.prices is None else tuple(ended.prices)
    ended = ended._replace(state=AttemptState(ended.state), usage=usage, cost=NanoDollars(ended.cost), prices=prices)  # type: ignore[arg-type]
    return Recovered(ended, key, Answer(*answer)._replace(usage=usage))
