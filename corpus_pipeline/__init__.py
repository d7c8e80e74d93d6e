"""Resume-safe corpus processing for LLM training data: ingest, clean, augment and export as Dagster assets."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0.dev0"

# imported when asked for: the component brings Dagster, the rest the database
_LAZY = {
    "CorpusComponent": "corpus_pipeline.defs.component",
    **dict.fromkeys(
        ("Corpus", "CorpusError", "File", "FileState", "RunResult", "StageState", "open"), "corpus_pipeline.api"
    ),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
