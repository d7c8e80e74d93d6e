"""Records from all over a long file, so that its format is not judged by its begin alone."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.stages.ingest.identity import open_regular
from corpus_pipeline.stages.ingest.parse import parse_record
from corpus_pipeline.stages.ingest.source import Compression, Container, Source

_PLACES = 16
_RECORDS = 8  # at each place
_LINE_BYTES = 1 << 20  # longer lines are passed over


def records_further_on(source: Source, max_depth: int, behind: int) -> list[dict[str, Any]]:
    """Some records at places spread over a file of lines, behind byte `behind`, each once; none of a file that can only be read
    from its begin."""
    if source.container is not Container.LINES or source.compression is not Compression.NONE:
        return []
    found: list[dict[str, Any]] = []
    with io.BufferedReader(open_regular(source.path)) as file:
        size = file.seek(0, 2)
        for place in range(1, _PLACES + 1):
            aim = size * place // (_PLACES + 1)
            if aim < behind:
                continue
            file.seek(aim)
            if not file.readline(_LINE_BYTES).endswith(b"\n"):
                continue
            for _ in range(_RECORDS):
                line = file.readline(_LINE_BYTES)
                behind = file.tell()
                if not line or not line.strip():
                    continue
                with contextlib.suppress(LineRejected):
                    found.append(parse_record(line, max_depth))
    return found
