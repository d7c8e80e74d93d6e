"""Records of a JSONL stream: split on LF alone, because a JSON string may hold U+2028, U+0085 and their kind."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader

from corpus_pipeline.stages.ingest.source import RAW_KEPT, Position, RawRecord
from corpus_pipeline.states import RejectReason

_SKIP = 1 << 20


def read_lines(stream: BufferedReader, start: Position, limit: int) -> Iterator[RawRecord]:
    """Each physical line. A line beyond `limit` bytes is never held as a whole."""
    number, offset = start.row_identifier, start.source_offset
    most = limit + 2  # CR and LF do not count
    readline = stream.readline
    while raw := readline(most):
        number += 1
        size = len(raw)
        body = raw[:-1] if raw.endswith(b"\n") else raw
        if body.endswith(b"\r"):
            body = body[:-1]
        if len(body) <= limit and (size < most or raw.endswith(b"\n")):
            yield RawRecord(number, number, offset, len(body), body, number, offset + size)
        else:
            size, length = skip_line(stream, raw)
            detail = f"{length} bytes, the limit is {limit}"
            kept = raw[: min(limit, RAW_KEPT)]
            yield RawRecord(number, number, offset, length, kept, number, offset + size, RejectReason.TOO_LONG, detail)
        offset += size


def skip_line(stream: BufferedReader, raw: bytes) -> tuple[int, int]:
    """Read to the end of a line that began with `raw`; its size and its size without its line end."""
    size, before, last = len(raw), b"", raw
    while not last.endswith(b"\n"):
        more = stream.readline(_SKIP)
        if not more:
            break
        before, last = last[-1:], more
        size += len(more)
    tail = before + last[-2:]
    return size, size - (2 if tail.endswith(b"\r\n") else 1 if tail.endswith((b"\r", b"\n")) else 0)
