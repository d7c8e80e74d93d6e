"""An export in the making: the data file, the not-exportable list and their counts, marked and resumed as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import orjson

from corpus_pipeline.stages.export.selection import Encoded
from corpus_pipeline.stages.export.writer import Compression, FileFacts, LineSpool, Position


class Mark(NamedTuple):
    """Everything from which an export is continued; keep it with the cursor that says which rows it covers."""

    data: Position
    not_exportable: Position
    rows: Mapping[str, int]
    losses: Mapping[str, int]
    reasons: Mapping[str, int]
    left_behind: Mapping[str, int] = MappingProxyType({})

    def to_json(self) -> str:
        positions = {"data": self.data._asdict(), "not_exportable": self.not_exportable._asdict()}
        return orjson.dumps({**self._asdict(), **positions, "left_behind": dict(self.left_behind)}).decode()

    @classmethod
    def from_json(cls, text: str) -> Mark:
        """Raises ValueError when the text is not of a mark."""
        try:
            body = orjson.loads(text)
            positions = Position(**body["data"]), Position(**body["not_exportable"])
            return cls(*positions, body["rows"], body["losses"], body["reasons"], body.get("left_behind", {}))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the mark of an export: {error!r}") from error


class Finished(NamedTuple):
    """The finished files and what went into them (see `selection.Encoded`)."""

    data: FileFacts
    not_exportable: FileFacts
    rows: dict[str, int]
    losses: dict[str, int]
    reasons: dict[str, int]
    left_behind: dict[str, int]


class ExportPart:
    """Made by `start` or `resume`. What the spools raise, this raises; after an error only `close` makes sense."""

    def __init__(self, data: LineSpool, not_exportable: LineSpool, counts: Encoded) -> None:
        self._data = data
        self._not_exportable = not_exportable
        self._counts = counts

    @classmethod
    def start(cls, work_folder: Path, name: str, compression: Compression = "none") -> ExportPart:
        """New, empty parts for the export of `name`."""
        data = LineSpool.start(work_folder, name, compression)
        try:
            return cls(data, LineSpool.start(work_folder, f"{name}.not_exportable", compression), Encoded())
        except BaseException:
            data.discard()
            raise

    @classmethod
    def resume(cls, work_folder: Path, mark: Mark, compression: Compression = "none") -> ExportPart | None:
        """The parts as they were at `mark`; None when either is lost: then start over from the first row."""
        data = LineSpool.resume(work_folder, mark.data, compression)
        if data is None:
            return None
        not_exportable = LineSpool.resume(work_folder, mark.not_exportable, compression)
        if not_exportable is None:
            data.discard()
            return None
        counts = Encoded(
            rows=Counter(mark.rows),
            losses=Counter(mark.losses),
            reasons=Counter(mark.reasons),
            left_behind=Counter(mark.left_behind),
        )
        return cls(data, not_exportable, counts)

    @property
    def lines(self) -> int:
        """Lines of the data file so far."""
        return self._data.lines

    @property
    def rows(self) -> Mapping[str, int]:
        """Lines so far by where their rows come from."""
        return self._counts.rows

    def add(self, batch: Encoded) -> None:
        """Appends one batch."""
        self._data.write(batch.lines)
        self._not_exportable.write(batch.not_exportable)
        self._counts.rows.update(batch.rows)
        self._counts.losses.update(batch.losses)
        self._counts.reasons.update(batch.reasons)
        self._counts.left_behind.update(batch.left_behind)

    def mark(self) -> Mark:
        """Makes what was added so far durable."""
        counts = self._counts
        return Mark(
            self._data.mark(),
            self._not_exportable.mark(),
            dict(counts.rows),
            dict(counts.losses),
            dict(counts.reasons),
            dict(counts.left_behind),
        )

    def finish(self) -> Finished:
        """Closes both files; they stay in the work folder until `discard`."""
        counts = self._counts
        return Finished(
            self._data.finish(),
            self._not_exportable.finish(),
            dict(sorted(counts.rows.items())),
            dict(sorted(counts.losses.items())),
            dict(sorted(counts.reasons.items())),
            dict(sorted(counts.left_behind.items())),
        )

    def close(self) -> None:
        """Releases the parts and leaves them for a resume."""
        self._data.close()
        self._not_exportable.close()

    def discard(self) -> None:
        """Removes both parts: after the publication, or to start over."""
        self._data.discard()
        self._not_exportable.discard()
