"""What a format is: it reads records of one training-data convention, writes them, and says what it cannot carry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from enum import StrEnum
from typing import Any, NamedTuple, NoReturn

from corpus_pipeline.errors import LineRejected, ParkSample
from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.states import RejectReason

Record = dict[str, Any]


class Loss(StrEnum):
    """What a row can lose when it is written in another format than it came in."""

    SYSTEM = "system"  # a system message
    ROLES = "roles"  # a role that the target does not know, such as developer
    NAMES = "names"  # the name of a speaker
    REASONING = "reasoning"  # the thinking before an answer
    WEIGHTS = "weights"  # that an answer is not to be trained on
    ANSWER = "answer"  # the answer itself, in formats of prompts only
    REJECTED = "rejected"  # the answer that lost
    LABEL = "label"  # whether the answer is a good one
    TOOLS = "tools"  # the definitions of the tools
    CALL_IDS = "call_ids"  # which result belongs to which call
    CALL_TEXT = "call_text"  # text beside a tool call
    TRAILING_TOOL = "trailing_tool"  # tool results that nothing answers
    REFUSAL = "refusal"  # that an answer is a refusal
    BREAKS = "message_breaks"  # where one message ended and the next one of the same side began
    MESSAGE_KEYS = "message_keys"  # unknown keys inside a message
    PARTS = "content_parts"  # parts of a content that are no text, such as images
    OTHER_ANSWERS = "other_answers"  # further answers to the same question, and branches of a message tree
    TOP_KEYS = "top_keys"  # unknown top-level keys whose names the target uses itself


# only the original shape keeps these: every format loses them when the row came in another
SHAPE_LOSSES = frozenset({Loss.MESSAGE_KEYS, Loss.PARTS, Loss.OTHER_ANSWERS, Loss.TOP_KEYS})


class Written(NamedTuple):
    """A record as the target tool reads it, and what the row lost on the way (words of `Loss`, sorted)."""

    record: Record
    losses: tuple[str, ...]


class Parsed(NamedTuple):
    """What a format makes of a record: the turns, the shape text and the JSON text of the tool definitions."""

    turns: tuple[Turn, ...]
    shape: str
    tools: str | None = None


class NotExportable(ParkSample):
    """The target tool would skip this row or train on something else: it goes to the not-exportable list.

    Reasons: no_text, no_prompt, no_answer, several_turns, turn_order, system_in_the_middle, tool_calls, tool_messages,
    unanswered_calls, broken_arguments, function_name, no_weight, no_preference, no_label, has_a_prompt, media, no_writer.
    """


def wrong_shape(detail: str) -> NoReturn:
    """This record is none of the format."""
    raise LineRejected(RejectReason.WRONG_SHAPE, detail)


class Format(ABC):
    """One training-data convention, both ways. Stateless but for caches; one instance per flavour in `FORMATS`."""

    name: str
    description: str
    keys: tuple[str, ...]  # top-level keys of a record, as documented
    loses: frozenset[Loss]
    media: frozenset[str] = frozenset()  # top-level keys of MEDIA_KEYS that its tool reads
    joins: bool = False  # its reader puts the texts together as they are: blanks at their edges are content

    @abstractmethod
    def parse(self, record: Record) -> Parsed:
        """Turns, shape and tools of a record. Raises LineRejected(WRONG_SHAPE) that says what is missing."""

    @abstractmethod
    def write(self, conversation: Conversation) -> Written:
        """The record of a conversation that came in any format. Raises NotExportable."""

    def require_usable(self, conversation: Conversation) -> None:  # noqa: B027
        """Raises NotExportable for a row that can be written and that the target tool would refuse."""

    def fits_as_it_is(self, conversation: Conversation) -> bool:
        """Whether a conversation that came in this format is, as it came, what its tool reads; else it is written again.

        Raises NotExportable for what the tool would skip.
        """
        return True

    def evidence(self, record: Record) -> int:
        """For detection, of a record that it accepts: 1 speaks for this format, 0 says nothing, -1 speaks against
        it.
        """
        return 1

    def read(
        self,
        record: Record,
        row_identifier: int = 1,
        source_line: int = 0,
        source_offset: int = 0,
        source_bytes: int = 0,
    ) -> Conversation:
        """The conversation of a record. Raises LineRejected(WRONG_SHAPE)."""
        turns, shape, tools = self.parse(record)
        return Conversation(row_identifier, turns, shape, tools, source_line, source_offset, source_bytes)

    def accepts(self, record: Record) -> bool:
        """Whether this record can be read in this format."""
        try:
            self.parse(record)
        except LineRejected:
            return False
        return True

    def llama_factory_entry(self, file_name: str, columns: Collection[str] = ()) -> dict[str, Any] | None:
        """The entry of a file in LLaMA-Factory's dataset_info.json; None when it cannot read this format.

        columns: optional keys that occur in the file. Only these are named, for its reader fails on a missing column.
        """
        return None


# pictures, films and sounds beside texts that hold `<image>`, `<video>` and `<audio>` in their places
MEDIA_KEYS = frozenset({"images", "videos", "audios", "image", "video", "audio"})


def carry_along(
    conversation: Conversation,
    record: Record,
    losses: set[Loss],
    media: frozenset[str] = frozenset(),
    *,
    parts_are_placed: bool = False,
) -> None:
    """Add to a written record what the row's own shape keeps: unknown top-level keys; note what stays behind.

    media: keys of pictures and the like that the target tool reads. parts_are_placed: the record holds its pictures as parts of
    its messages. Raises NotExportable for a row whose pictures it would
    not see.
    """
    extra, kept, parts = shapes.carried(conversation.shape)
    if parts and not parts_are_placed:
        raise NotExportable("media", f"its {', '.join(parts)} cannot be written in this format")
    require_media_keys(conversation, media)
    losses.update(Loss(word) for word in kept if not (parts_are_placed and word == Loss.PARTS))
    for key, value in extra.items():
        if key in record:
            losses.add(Loss.TOP_KEYS)
        else:
            record[key] = value


def require_media_keys(conversation: Conversation, media: frozenset[str]) -> None:
    """Raise NotExportable for a row with pictures under keys that the tool does not read."""
    extra = shapes.carried(conversation.shape).extra
    unseen = sorted(key for key in MEDIA_KEYS - media if extra.get(key))
    if unseen:
        raise NotExportable("media", f"this format has no place for its {', '.join(unseen)}")


def with_thinking(reasoning: str | None, answer: str) -> str:
    """An answer with its reasoning in front, in the notation of DeepSeek R1 and Qwen3 that LLaMA-Factory reads."""
    return answer if reasoning is None else f"<think>\n{reasoning}\n</think>\n\n{answer}"
