"""Commands: one module for each subject that people change.

They are imported when they are first used: all of them together take longer than most commands.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus_pipeline.service.commands import attest as attest
    from corpus_pipeline.service.commands import failed_samples as failed_samples
    from corpus_pipeline.service.commands import inbox as inbox
    from corpus_pipeline.service.commands import naming as naming
    from corpus_pipeline.service.commands import pause as pause
    from corpus_pipeline.service.commands import prices as prices
    from corpus_pipeline.service.commands import provider_batches as provider_batches
    from corpus_pipeline.service.commands import purge as purge
    from corpus_pipeline.service.commands import recipes as recipes
    from corpus_pipeline.service.commands import reconcile as reconcile
    from corpus_pipeline.service.commands import register as register
    from corpus_pipeline.service.commands import remove as remove
    from corpus_pipeline.service.commands import review as review
    from corpus_pipeline.service.commands import rows as rows
    from corpus_pipeline.service.commands import start as start
    from corpus_pipeline.service.commands import try_out as try_out
    from corpus_pipeline.service.commands import unlock as unlock


def __getattr__(name: str) -> ModuleType:
    if name.startswith("__"):
        raise AttributeError(name)
    return importlib.import_module(f"{__name__}.{name}")
