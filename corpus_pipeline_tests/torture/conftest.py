"""A folder in memory where there is one, and workers to be killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus_pipeline_tests.torture import small


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="corpus-torture-", dir=small.fast_folder(), ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
