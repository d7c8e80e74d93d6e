"""Rows to lines: each conversation in the export format, or on the not-exportable list with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from corpus_pipeline.formats import export_line, jsontext
from corpus_pipeline.formats.base import Format, NotExportable
from corpus_pipeline.model import Conversation, ConversationId
from corpus_pipeline.recipe import ExportSection

CLEANED = "cleaned"


class ExportRow(NamedTuple):
    """One row to export.

    augmented_id: of the augmented row, None for a cleaned one. origin: CLEANED or the strategy.
    """

    conversation_id: ConversationId
    augmented_id: int | None
    conversation: Conversation
    origin: str = CLEANED


@dataclass
class Encoded:
    """A batch as lines (without line ends), in the order of the rows.

    exported: for each line, which of the rows handed in it is (from 0).
    not_exportable: lines for the not-exportable list. rows: origin -> lines. losses: word -> rows that lost it.
    reasons: why rows are not exportable -> rows. left_behind: why rows of the recipe's choice stayed -> rows.
    """

    lines: list[bytes] = field(default_factory=list)
    exported: list[int] = field(default_factory=list)
    not_exportable: list[bytes] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    left_behind: Counter[str] = field(default_factory=Counter)

    @property
    def withheld(self) -> int:
        """How many rows the format cannot hold."""
        return sum(self.reasons.values())


def is_selected(tags: Collection[str], section: ExportSection) -> bool:
    """Whether a row with these tags goes out."""
    if not section.only_tags and not section.without_tags:
        return True
    wanted = not section.only_tags or any(tag in tags for tag in section.only_tags)
    return wanted and not any(tag in tags for tag in section.without_tags)


class Room(NamedTuple):
    """How many more lines may be written of new rows, or, unless of_new, of source rows."""

    lines: int
    of_new: bool

    def counts(self, origin: str) -> bool:
        """Whether rows of an origin take some of it."""
        return (origin != CLEANED) is self.of_new


ENOUGH = "enough"  # why a row stays behind that nothing else speaks against


def encode(
    rows: Iterable[ExportRow], source: Format, target: Format, *, checked: bool = False, room: Room | None = None
) -> Encoded:
    """The lines of a batch of rows that came in the format `source` (see `formats.export_line`).

    checked: the recipe names the target, so that its tool must be able to use the rows; else they go out as they came.
    room: what is beyond it stays behind.
    """
    batch, origins, taken = Encoded(), list[str](), 0
    for at, row in enumerate(rows):
        try:
            line, losses = export_line(row.conversation, source, target, checked=checked)
        except NotExportable as error:
            batch.not_exportable.append(_not_exportable_line(row, error))
            batch.reasons[str(error.reason)] += 1
            continue
        if room is not None and room.counts(row.origin):
            if taken == room.lines:
                batch.left_behind[ENOUGH] += 1
                continue
            taken += 1
        batch.lines.append(line)
        batch.exported.append(at)
        origins.append(row.origin)
        for word in losses:
            batch.losses[str(word)] += 1  # plain text: the counts are stored as JSON
    batch.rows.update(origins)
    return batch


def _not_exportable_line(row: ExportRow, error: NotExportable) -> bytes:
    conversation = row.conversation
    turns = [{key: value for key, value in turn._asdict().items() if value is not None} for turn in conversation.turns]
    return jsontext.encode(
        {
            "reason": error.reason,
            "detail": error.detail,
            "conversation_id": row.conversation_id,
            "augmented_id": row.augmented_id,
            "origin": row.origin,
            "row_identifier": conversation.row_identifier,
            "source_line": conversation.source_line,
            "turns": turns,
            "tools": conversation.tools,
        }
    )
