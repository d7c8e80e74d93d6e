"""How a flavour of message lists says things, and the way to its places in a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.messages import ANSWER_SIDE, PROMPT_SIDE, Message, side_of
from corpus_pipeline.formats.shape import Path

MISSING = object()


@dataclass(frozen=True)
class Dialect:
    """How a flavour says things. None or False: it cannot say them.

    lists: paths of the message lists that make up the conversation, in order. In the last of several lists stands the
    answer. rejected: path of the list (or single message) with the answer that lost.
    """

    lists: tuple[Path, ...] = (("messages",),)
    rejected: Path | None = None
    objects: bool = False  # the answers are one message each, not lists of messages
    label: str | None = None
    answer: str | None = None  # top-level key of an answer as text, behind lists that end with a question
    tools: Path = ("tools",)
    system: str | None = None  # top-level key of the system message
    weight: Literal["weight", "train", "loss_weight", "loss"] | None = None
    reasoning: Literal["reasoning_content", "think", "drop"] = "think"
    text_arguments: bool = False  # arguments of calls as JSON text
    null_content: bool = True  # an absent text is null; False: ""
    developer: bool = False
    names: bool = True
    refusal: bool = False
    call_ids: bool = True

    @property
    def top_keys(self) -> frozenset[str]:
        """The top-level keys that the flavour knows."""
        paths = (*self.lists, self.tools, self.rejected, (self.label,), (self.system,), (self.answer,))
        return frozenset(str(path[0]) for path in paths if path is not None and path[0] is not None)


def at(record: Record, path: Path) -> Any:
    """The value at a path of keys, or a marker that is no JSON value."""
    node: Any = record
    for step in path:
        if not isinstance(node, dict) or step not in node:
            return MISSING
        node = node[step]
    return node


def messages_of(record: Record) -> list[dict[str, Any]]:
    """The objects in `messages`, whatever else is there."""
    found = record.get("messages")
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []


def put(record: Record, path: Path, value: Any) -> None:
    """Set the value at a path of keys, making the objects on the way."""
    node = record
    for step in path[:-1]:
        node = node.setdefault(str(step), {})
    node[str(path[-1])] = value


def alternating(messages: Sequence[Message]) -> bool:
    """Whether prompts and answers alternate, beginning with a prompt and ending with an answer."""
    sides = [side_of(message.role) for message in messages]
    return len(sides) % 2 == 0 and sides == [PROMPT_SIDE, ANSWER_SIDE] * (len(sides) // 2)
