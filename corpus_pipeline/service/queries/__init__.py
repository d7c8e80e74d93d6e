"""Queries: one module for each subject that people ask about. They read and never write.

They are imported when they are first used: all of them together take longer than most commands.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus_pipeline.service.queries import catching_up as catching_up
    from corpus_pipeline.service.queries import cost as cost
    from corpus_pipeline.service.queries import cost_estimate as cost_estimate
    from corpus_pipeline.service.queries import dataframes as dataframes
    from corpus_pipeline.service.queries import due as due
    from corpus_pipeline.service.queries import duplicates as duplicates
    from corpus_pipeline.service.queries import exportability as exportability
    from corpus_pipeline.service.queries import lineage as lineage
    from corpus_pipeline.service.queries import progress as progress
    from corpus_pipeline.service.queries import row_detail as row_detail
    from corpus_pipeline.service.queries import row_filter as row_filter
    from corpus_pipeline.service.queries import rows as rows
    from corpus_pipeline.service.queries import rule_preview as rule_preview
    from corpus_pipeline.service.queries import status as status
    from corpus_pipeline.service.queries import views as views


def __getattr__(name: str) -> ModuleType:
    if name.startswith("__"):
        raise AttributeError(name)
    return importlib.import_module(f"{__name__}.{name}")
