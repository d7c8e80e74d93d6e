"""Provider batches as people see them: what each came to, and asking the provider to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, Row

from corpus_pipeline.errors import SettingMissing, UsageError
from corpus_pipeline.jobs.augment.plan import ModelAccess, prepare
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.service.commands import pause
from corpus_pipeline.service.records.calls import ProviderBatch
from corpus_pipeline.states import BatchState, Stage
from corpus_pipeline.store import Store, audit_log, dataset_files, leases, provider_batches

_NO_PROVIDER = "no provider can be asked: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"


def listed(connection: Connection, names: Sequence[str] = ()) -> list[ProviderBatch]:
    """Every provider batch, newest first, with its requests by outcome, tokens and money; `reserved_usd` is what the
    requests that wait can still cost."""
    dataset_files.current_files(connection, names)
    return [
        {
            "batch": row.id,
            "file": row.file_name,
            "model": row.model,
            "requests": row.requests,
            "state": row.state,
            "provider_id": row.provider_id,
            "input_file_id": row.input_file_id,
            "provider_status": row.provider_status,
            "detail": row.detail,
            "created_at": row.created_at,
            "sent_at": row.sent_at,
            "taken_at": row.taken_at,
            "answered": int(row.answered),
            "errors": int(row.errors),
            "unknown": int(row.unknown),
            "waiting": int(row.waiting),
            "input_tokens": int(row.input_tokens),
            "output_tokens": int(row.output_tokens),
            "cost_usd": int(row.cost) / NANO,
            "reserved_usd": int(row.reserved) / NANO,
        }
        for row in provider_batches.figures(connection, names)
    ]


def cancel(
    store: Store, access: ModelAccess | None, names: Sequence[str], reason: str, who: str
) -> list[ProviderBatch]:
    """Ask the provider to stop the batches of these files that are under way, and pause their augment stage, so that
    nothing is sent again. Returns those batches, with what the provider said.

    What was worked until then is billed, and taken in by the next run after `corpus resume`. Raises UsageError without a
    name or a reason, UnknownName for a file that is not registered, SettingMissing when no provider can be asked.
    """
    if not names:
        raise UsageError("say whose batches: names of dataset files; `corpus batches list` shows them")
    if access is None:
        raise SettingMissing(_NO_PROVIDER)
    pause.pause(store, names, Stage.AUGMENT, False, reason, who)
    under_way = [row for row in store.fetch(provider_batches.figures, names) if row.state == BatchState.SENT.value]
    said = asyncio.run(_cancel(store, access, under_way))
    for row, word in zip(under_way, said, strict=True):
        note = partial(provider_batches.note_status, batch_id=row.id, status=word)
        store.write(note, repeatable=True, name="batch status")
    return [entry for entry in store.fetch(listed, names) if entry["batch"] in {row.id for row in under_way}]


def refetch(work: Work, default_model: str | None) -> list[ProviderBatch]:
    """Look at the provider again for the open batches of a file and collect what is there. Returns the batches that were open.

    Raises FileGone's words as UsageError, LeaseHeld while the file is worked, SettingMissing when no provider can be asked.
    """
    access = work.models
    if access is None:
        raise SettingMissing(_NO_PROVIDER)
    ids = {row.id for row in work.store.fetch(provider_batches.open_batches, work.task.id)}
    if ids:
        from corpus_pipeline.jobs.augment.provider_batches import Batching
        from corpus_pipeline.llm.batch_api import FileGone

        plan = prepare(work.recipe.augment, default_model, access.prices, access.endpoints, work.media_folder)
        with holding(work.store, work.task.id, Stage.AUGMENT, work.lease_seconds) as lease:
            try:
                asyncio.run(Batching(Held(work, lease), plan, access).collect())
            except FileGone as error:
                raise UsageError(
                    f"the output is not at the provider: {error}. `corpus batches forget {work.file.name} --reason TEXT`"
                    " books it as spent, and the next run asks again in another batch"
                ) from None
    return [entry for entry in work.store.fetch(listed, [work.file.name]) if entry["batch"] in ids]


def forget(store: Store, names: Sequence[str], batch: int | None, reason: str, who: str) -> list[ProviderBatch]:
    """Release the open batches of these files (of one, by its number): what they cost is not known and is booked at the most
    that it can be, and their rows may be asked again. Returns those batches.

    Raises UsageError without a name or reason, for a batch that is not open, or while the file is being worked.
    """
    if not names or not reason.strip():
        raise UsageError("say whose batches and why: corpus batches forget NAME --reason TEXT")

    def write(connection: Connection) -> list[int]:
        rows = [row for row in provider_batches.figures(connection, names) if row.state != BatchState.TAKEN.value]
        if batch is not None and batch not in {row.id for row in rows}:
            raise UsageError(f"batch {batch} is not open; `corpus batches list {' '.join(names)}` shows which are")
        wanted = [row for row in rows if batch is None or row.id == batch]
        busy = {lease.task_id for lease in leases.live(connection) if lease.stage is Stage.AUGMENT}
        if any(row.task_id in busy for row in wanted):
            raise UsageError(
                f"augment of {', '.join(names)} is being worked; pause it first: corpus pause NAME --reason TEXT"
            )
        for row in wanted:
            provider_batches.lost(connection, row.id, "forgotten", f"by {who}: {reason}")
            said = {"batch": row.id, "provider_id": row.provider_id, "requests": int(row.waiting), "reason": reason}
            audit_log.log(connection, who, "batches forget", row.file_name, said)
        return [row.id for row in wanted]

    ids = set(store.write(write, repeatable=True, name="forget batches"))
    return [entry for entry in store.fetch(listed, names) if entry["batch"] in ids]


async def _cancel(store: Store, access: ModelAccess, rows: Sequence[Row]) -> list[str]:
    from corpus_pipeline.jobs.augment.batch_endpoints import BatchEndpoints

    said = []
    async with BatchEndpoints(store, access, {}) as endpoints:
        for row in rows:
            api = (await endpoints.of_batch(row, store.fetch(provider_batches.requests_of, row.id))).api
            batch = await api.status(row.provider_id)
            if batch is not None and not batch.is_final:
                batch = await api.cancel(row.provider_id)
            said.append("unknown" if batch is None else batch.status)
    return said
