"""The four stages side by side: what each is made of. A stage is a module with these five names."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from corpus_pipeline.jobs import augment, export, ingest
from corpus_pipeline.jobs.clean import stage as clean_stage
from corpus_pipeline.jobs.export import is_current as export_is_current
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.states import Stage

_MODULES = {Stage.INGEST: ingest, Stage.CLEAN: clean_stage, Stage.AUGMENT: augment, Stage.EXPORT: export}

# what works inside the stage: one cursor each
TASK_TYPES: dict[Stage, Callable[[Work], tuple[str, ...]]] = {s: m.task_types for s, m in _MODULES.items()}
# in the transaction that opens the cursors: fix the end of the read, tidy up after a dead holder
BEGIN: dict[Stage, Callable[[Connection, Held], None]] = {s: m.begin for s, m in _MODULES.items()}
WORKERS: dict[Stage, Callable[[Held], None]] = {s: m.work for s, m in _MODULES.items()}
# remove what the stage wrote, to start over
FORGET: dict[Stage, Callable[[Connection, Work], None]] = {s: m.forget for s, m in _MODULES.items()}

__all__ = ["BEGIN", "FORGET", "TASK_TYPES", "WORKERS", "export_is_current"]
