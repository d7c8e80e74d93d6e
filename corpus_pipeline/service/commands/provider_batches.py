"""Provider batches as people see them: what each came to, and asking the provider to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from corpus_pipeline.errors import SettingMissing, UsageError
from corpus_pipeline.jobs.augment.plan import ModelAccess
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.service.commands import pause
from corpus_pipeline.states import BatchState, Stage
from corpus_pipeline.store import Store, dataset_files, provider_batches

_KEYS = ("model", "requests", "state", "provider_id", "provider_status", "detail", "created_at", "sent_at", "taken_at")
_COUNTS = ("answered", "errors", "unknown", "waiting", "input_tokens", "output_tokens")


def listed(connection: Connection, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every provider batch, newest first, with its requests by outcome, tokens and money; `reserved_usd` is what the
    requests that wait can still cost."""
    dataset_files.current_files(connection, names)
    return [
        {
            "batch": row.id,
            "file": row.file_name,
            **{key: getattr(row, key) for key in _KEYS},
            **{key: int(getattr(row, key)) for key in _COUNTS},
            "cost_usd": int(row.cost) / NANO,
            "reserved_usd": int(row.reserved) / NANO,
        }
        for row in provider_batches.figures(connection, names)
    ]


def cancel(
    store: Store, access: ModelAccess | None, names: Sequence[str], reason: str, who: str
) -> list[dict[str, Any]]:
    """Ask the provider to stop the batches of these files that are under way, and pause their augment stage, so that
    nothing is sent anew. Returns those batches, with what the provider said.

    What was worked until then is billed, and taken in by the next run after `corpus resume`. Raises UsageError without a
    name or a reason, UnknownName for a file that is not registered, SettingMissing when no provider can be asked.
    """
    if not names:
        raise UsageError("say whose batches: names of dataset files; `corpus batches list` shows them")
    if access is None:
        raise SettingMissing(
            "no provider can be asked: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"
        )
    pause.pause(store, names, Stage.AUGMENT, False, reason, who)
    under_way = [row for row in store.fetch(provider_batches.figures, names) if row.state == BatchState.SENT.value]
    said = asyncio.run(_cancel(access, under_way))
    for row, word in zip(under_way, said, strict=True):
        note = partial(provider_batches.note_status, batch_id=row.id, status=word)
        store.write(note, repeatable=True, name="batch status")
    return [entry for entry in store.fetch(listed, names) if entry["batch"] in {row.id for row in under_way}]


async def _cancel(access: ModelAccess, rows: Sequence[Row]) -> list[str]:
    from corpus_pipeline.llm.batch_api import BatchClient
    from corpus_pipeline.llm.client import ModelClient

    said = []
    async with ModelClient(access.endpoint) as client:
        api = BatchClient(client)
        for row in rows:
            batch = await api.status(row.provider_id)
            if batch is not None and not batch.is_final:
                batch = await api.cancel(row.provider_id)
            said.append("unknown" if batch is None else batch.status.value)
    return said
