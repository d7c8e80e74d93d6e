"""What there is to train on: for each consumer its exports, and whether all of its dataset files are exported."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Row
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.service.queries import cost, status
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Store, dataset_files, exports

_PATIENCE = 1.0  # seconds for a database that is away: definitions are loaded without it


class TrainingData(NamedTuple):
    """The exports of a consumer: (dataset file, address, sha256, lines). missing: its files that are not exported yet."""

    exports: tuple[tuple[str, str, str, int], ...]
    missing: tuple[str, ...]
    cost_usd: float

    @property
    def rows(self) -> int:
        return sum(lines for *_, lines in self.exports)

    @property
    def version(self) -> str:
        """A hash of the bytes of all exports."""
        parts = sorted(f"{name} {sha256}" for name, _, sha256, _ in self.exports)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def training_data(connection: Connection) -> dict[str, TrainingData]:
    """For each consumer of a current dataset file, what is there to train on."""
    newest: dict[str, Row] = {row.file_name: row for row in exports.listed(connection, only_current=True)}
    spent = {row["consumer"]: row["cost_usd"] for row in cost.cost(connection, "consumer")}
    done, missing = defaultdict[str, list[tuple[str, str, str, int]]](list), defaultdict[str, list[str]](list)
    for state in status.status(connection):
        name, export = state["name"], newest.get(state["name"])
        if export is not None and state["stages"][Stage.EXPORT.value]["status"] == Status.DONE:
            done[state["consumer"]].append((name, export.uri, export.sha256, int(export.lines)))
        else:
            missing[state["consumer"]].append(name)
    return {
        consumer: TrainingData(tuple(done[consumer]), tuple(missing[consumer]), float(spent.get(consumer, 0.0)))
        for consumer in sorted({*done, *missing})
    }


def known_consumers(settings: Settings) -> list[str]:
    """The consumers of the corpus as far as they can be told now: none without a database, or when it does not answer."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return []
    try:
        with closing(Store(settings.database_url, patience=_PATIENCE)) as store:
            return store.fetch(dataset_files.consumers)
    except (SQLAlchemyError, StoreUnavailable):  # away, or of another schema: its user sees it elsewhere
        return []
