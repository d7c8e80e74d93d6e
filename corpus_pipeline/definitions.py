"""The Dagster definitions of the corpus of this environment: wiring only. Loads with no secret set."""

from __future__ import annotations

import os

from corpus_pipeline.defs.build import PATH_JOB, own

# an entry point: code servers and run workers of a Dagster that was started without `corpus` make files, too
os.umask(0o077)

__all__ = ["PATH_JOB", "defs"]

defs = own()
