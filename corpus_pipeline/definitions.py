"""The Dagster definitions of the corpus of this environment: wiring only. Loads with no secret set."""

from __future__ import annotations

import dagster as dg

from corpus_pipeline.defs.build import PATH_JOB, build
from corpus_pipeline.defs.names import DEFAULT

__all__ = ["PATH_JOB", "defs"]

defs = dg.Definitions.merge(build(DEFAULT), dg.Definitions(executor=dg.in_process_executor))
