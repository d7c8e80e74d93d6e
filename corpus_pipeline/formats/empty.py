"""The format of a dataset file without a record: it has nothing to read and nothing to write."""

from __future__ import annotations

from typing import NoReturn

from corpus_pipeline.formats.base import Format, NotExportable, Record, wrong_shape
from corpus_pipeline.model import Conversation


class _Empty(Format):
    name = "empty"
    description = "A file without records"
    keys = ()
    loses = frozenset()

    def evidence(self, record: Record) -> int:
        return -1

    def parse(self, record: Record) -> NoReturn:
        wrong_shape("the file held no record when it was registered, so its format is not known")

    def write(self, conversation: Conversation) -> NoReturn:
        raise NotExportable(
            "no_text", "the target format is that of a file without records; name another in the recipe"
        )


EMPTY = _Empty()
