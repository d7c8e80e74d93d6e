"""What a validator is: a named question to an answer that is about to become a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Answer, Conversation, Turn

_TOOL_ROLES = frozenset({"tool", "function", "observation", "ipython", "tool_response"})


class Validator(ABC):
    """Call it with the source, the new turns and the last answer; it returns the fault, or None."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """The fault of these turns, None when there is none."""


class Pair(NamedTuple):
    """A text of the source and what it has become, with the new prompt that it follows and the response it may copy."""

    field: str
    source: str
    new: str
    asked: str = ""
    known: str = ""


@dataclass(frozen=True)
class PairValidator(Validator):
    """Judges some fields of the last new turn (of every turn when `whole`) against the same fields of the source."""

    fields: tuple[str, ...]
    whole: bool = False

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        for pair in self._known_pairs(conversation, turns):
            fault = self.judge(pair)
            if fault is not None:
                return fault
        return None

    def _known_pairs(self, conversation: Conversation, turns: tuple[Turn, ...]) -> tuple[Pair, ...]:
        """`pairs`, once for all validators of the same texts."""
        global _last
        last = _last
        if last.conversation is not conversation or last.turns is not turns:
            last = _last = _Paired(conversation, turns, {})
        key = (type(self).pairs, self.fields, self.whole)
        pairs = last.pairs.get(key)
        if pairs is None:
            pairs = last.pairs[key] = tuple(self.pairs(conversation, turns))
        return pairs

    def pairs(self, conversation: Conversation, turns: tuple[Turn, ...]) -> Iterator[Pair]:
        """The texts to compare; new turns stand at the same index as the turns they were made from."""
        for index in range(len(turns)) if self.whole else (len(turns) - 1,):
            new = turns[index]
            source = conversation.turns[index] if index < len(conversation.turns) else Turn()
            for field in self.fields:
                text = getattr(new, field)
                if field == "prompt" and (new.extra or {}).get("prompt_role") in _TOOL_ROLES:
                    continue  # the result of a tool is carried along as it is
                if text is not None:
                    asked = "" if field == "prompt" else new.prompt or ""
                    yield Pair(field, getattr(source, field) or "", text, asked, source.response or "")

    @abstractmethod
    def judge(self, pair: Pair) -> BadAnswer | None:
        """The fault of one text, None when there is none."""


class _Paired(NamedTuple):
    """The pairs of the turns that were judged last, by how they are chosen."""

    conversation: Conversation | None
    turns: tuple[Turn, ...]
    pairs: dict[tuple[Any, tuple[str, ...], bool], tuple[Pair, ...]]


_last = _Paired(None, (), {})
