"""Versions of what works on the rows: they change when the code does, so that stale results can be told."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from corpus_pipeline import plugins
from corpus_pipeline.plugins import Group
from corpus_pipeline.stages.augment.strategies import templates_code_hash
from corpus_pipeline.stages.clean.rules import rules_code_hash
from corpus_pipeline.states import Stage

_GROUPS = {
    Stage.INGEST: (Group.FORMATS,),
    Stage.CLEAN: (Group.RULES,),
    Stage.AUGMENT: (Group.STRATEGIES, Group.VALIDATORS),
    Stage.EXPORT: (Group.FORMATS,),
}


def code_version(stage: Stage) -> str:
    """A short hash of the code that decides what a stage makes of a row, plugins included."""
    foreign = plugins.code_hash(*_GROUPS[stage])
    own = _own_version(stage)
    return hashlib.sha256(f"{own} {foreign}".encode()).hexdigest()[:16] if foreign else own


@cache
def _own_version(stage: Stage) -> str:
    match stage:
        case Stage.CLEAN:
            return rules_code_hash()[:16]
        case Stage.AUGMENT:
            return templates_code_hash()[:16]
        case Stage.INGEST:
            return _source_hash("formats", "stages/ingest")
        case Stage.EXPORT:
            return _source_hash("formats", "stages/export")


def _source_hash(*folders: str) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        base: Traversable = resources.files("corpus_pipeline")
        for part in folder.split("/"):
            base = base / part
        for entry in sorted(base.iterdir(), key=lambda e: e.name):
            if entry.name.endswith(".py"):
                digest.update(entry.name.encode() + b"\0" + entry.read_bytes())
    return digest.hexdigest()[:16]
