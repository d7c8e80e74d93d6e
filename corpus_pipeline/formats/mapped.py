"""Any other record, by the column mapping of a recipe: our field -> the record's key."""

from __future__ import annotations

from collections.abc import Mapping

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.formats.base import Format
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect
from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.model import TEXT_FIELDS

MAPPED = "mapped"
FIELDS = (*TEXT_FIELDS, "messages")


def mapped(columns: Mapping[str, str]) -> Format:
    """The format of a recipe's `ingest.columns`, such as `{"prompt": "inquiry", "response": "reply"}`.

    Fields: the text fields of a turn, or `messages` alone for a list of messages under another key. Raises
    UnknownName and UsageError.
    """
    for field in columns:
        if field not in FIELDS:
            raise UnknownName("column field", field, FIELDS)
    if "messages" in columns:
        if len(columns) > 1:
            raise UsageError("ingest.columns: messages stands alone; the other fields are inside the messages.")
        return ChatFormat(
            MAPPED,
            f"Messages under '{columns['messages']}'",
            Dialect(lists=((columns["messages"],),), weight="weight", reasoning="reasoning_content", developer=True),
            (columns["messages"],),
        )
    if len(set(columns.values())) < len(columns):
        raise UsageError("ingest.columns: each field needs a key of its own.")
    if "prompt" not in columns and "response" not in columns:
        raise UsageError("ingest.columns: name at least the key of prompt or of response.")
    shown = ", ".join(f"{field} from '{key}'" for field, key in columns.items())
    return FlatFormat(MAPPED, f"Columns of the recipe: {shown}", Columns(**columns), joins=_joins(columns))


def _joins(columns: Mapping[str, str]) -> bool:
    """Whether trainers put the columns together as they are: a text alone, or what a `completion` completes."""
    answer = columns.get("response")
    return answer is None or "prompt" not in columns or answer.rpartition(".")[2] == "completion"
