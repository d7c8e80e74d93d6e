"""The frame of a cleaning rule: it looks at one conversation and tags, changes or asks to drop it.

A rule is pure, holds nothing but its validated parameters, and is picklable, so that it may run in a pool of processes.
It sees the whole conversation as one `View`: the texts, what each of them is there for (`Side`), and whether the format
joins them to one text. In doubt a rule tags and leaves: a tag is stored with the row, can be searched for, and can
decide what is exported.

Clean text must cost next to nothing: before a rule is applied the pass asks its `screen`, which sees the same view
(one joined text and its special characters, both computed once for all rules). A screen may say yes too often, never no
when the rule would act.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import TEXT_FIELDS, Change, Tag, Turn

# Letters, blanks, the punctuation of prose, and the bytes of everything beyond ASCII: what `View.marks` leaves out.
_PROSE = bytes(c for c in range(128) if chr(c).isalpha()) + b" \n.,;:'\"!?()-/" + bytes(range(128, 256))
_ASCII = bytes(range(128))
# what may stand between two texts that are joined: every blank, and those of no width
_EDGE_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u180e\u200b\u2060"


# speakers' names inside a text: the whole conversation is one string, cut by its blank lines
_DIALOGUE = lazily(r"^(?:Human|Assistant|User|H|A): ?", re.MULTILINE)
_DIALOGUE_HINTS = ("Assistant:", "Human:", "\n\nA:")


class Side(StrEnum):
    """What a text of a conversation is there for."""

    CONTEXT = "context"  # what the model reads: system texts, prompts, tool results
    TRAINED = "trained"  # what the model is trained to say
    AVERSE = "averse"  # the example of a bad answer: rejected, or labelled false
    UNTRAINED = "untrained"  # an answer of weight 0, which is context for those behind it


_ANSWER_FIELDS = ("reasoning", "response")


class Text(NamedTuple):
    """One text of a conversation and its place; `turn` is 1-based."""

    turn: int
    field: str
    side: Side
    text: str


class View:
    """One conversation as the rules see it.

    values: what tasks said of it before, by `TASK.FIELD`, as far as rules read it; None: nothing was looked up.
    turns: the conversation; tools: the definitions of the tools that the assistant may call; shape: all else of the record
    (see `formats.shape`), None when it is not available;
    texts: every text, in reading order, without its field; text: the same joined by a line feed;
    data: `text` in UTF-8; ascii: whether it is pure ASCII;
    marks: the ASCII bytes of `text` that are rare in prose (digits, brackets, `<&@_|~`, control characters), in order;
    beyond: its characters beyond ASCII, in order.
    """

    __slots__ = (
        "_format_joins",
        "ascii",
        "beyond",
        "data",
        "marks",
        "shape",
        "text",
        "texts",
        "tools",
        "turns",
        "values",
    )

    def __init__(
        self,
        turns: Sequence[Turn],
        tools: str | None = None,
        *,
        joined: bool = False,
        shape: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.turns = tuple(turns)
        self.values = values
        self.tools = tools
        self.shape = shape
        self._format_joins = joined
        self.texts = [text for turn in turns for text in turn[:5] if text is not None]
        self.text = "\n".join(self.texts)
        self.ascii = self.text.isascii()
        self.data = self.text.encode("utf-8", "surrogatepass")
        self.marks = self.data.translate(None, _PROSE)
        self.beyond = "" if self.ascii else self.data.translate(None, _ASCII).decode("utf-8", "surrogatepass")

    @property
    def characters(self) -> int:
        """Characters of all texts."""
        return len(self.text) - max(0, len(self.texts) - 1)

    @property
    def joined(self) -> bool:
        """Whether texts are joined without anything between them, so that blanks at their edges are content.

        The format says so (prompt + completion, plain text), or the texts are whole dialogues (`Human: ... Assistant:`).
        """
        return self._format_joins or self.is_dialogue

    @property
    def is_dialogue(self) -> bool:
        """Whether a text holds several speakers, named at the beginning of lines."""
        text = self.text
        return any(hint in text for hint in _DIALOGUE_HINTS) and len(_DIALOGUE.findall(text)) > 1

    @property
    def is_preference(self) -> bool:
        """Whether the answers are there to be compared or judged: chosen beside rejected, or labelled."""
        return any(
            turn.rejected is not None or (turn.extra and ("label" in turn.extra or "rejected_messages" in turn.extra))
            for turn in self.turns
        )

    def side(self, turn: int, field: str) -> Side:
        """What the text `field` of a turn (1-based) is there for."""
        if field == "rejected":
            return Side.AVERSE
        if field not in _ANSWER_FIELDS:
            return Side.CONTEXT
        own = self.turns[turn - 1]
        if own.extra is not None and own.extra.get("label") is False:
            return Side.AVERSE
        return Side.UNTRAINED if own.weight == 0 else Side.TRAINED

    def places(self) -> Iterator[Text]:
        """Every text with its place and side, in reading order."""
        for number, turn in enumerate(self.turns, 1):
            for field, text in turn.texts():
                yield Text(number, field, self.side(number, field), text)

    def answers(self) -> Iterator[Text]:
        """The responses that the model is trained to give."""
        for place in self.places():
            if place.side is Side.TRAINED and place.field == "response":
                yield place

    def context(self) -> str:
        """What the model reads, joined by line feeds: system texts, prompts, tool results."""
        return "\n".join(place.text for place in self.places() if place.side is Side.CONTEXT)


class Outcome(NamedTuple):
    """What a rule says of a conversation; `turns` is the same object as before when nothing changed.

    tools, shape: the better ones; None when they stay as they are.
    """

    turns: tuple[Turn, ...]
    changes: tuple[Change, ...] = ()
    drop_reason: str | None = None
    detail: str = ""
    language: str | None = None
    tags: tuple[Tag, ...] = ()
    tools: str | None = None
    shape: str | None = None


class RuleParams(BaseModel):
    """Base of the parameters of a rule: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(ABC):
    """One cleaning rule.

    name: the word of the recipe and of `Change.rule`; version: raised when the same input gives another outcome;
    summary: one sentence for the generated documentation; reasons: every word that `Outcome.drop_reason` may be;
    tags: every word that it may tag a row with.
    Keyword arguments are the parameters; a bad one raises pydantic.ValidationError.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    summary: ClassVar[str]
    reasons: ClassVar[tuple[str, ...]] = ()
    tags: ClassVar[tuple[str, ...]] = ()
    values: tuple[str, ...] = ()  # what it reads of what tasks said before, as TASK.FIELD
    rewrites: ClassVar[bool] = False  # whether it may change texts, so that one round may give the next one work

    class Params(RuleParams):
        pass

    params: RuleParams

    def __init__(self, **params: Any) -> None:
        self.params = self.Params(**params)

    def screen(self, view: View) -> bool:
        """Whether `apply` may have anything to say of this conversation; must be cheap."""
        return True

    @abstractmethod
    def apply(self, view: View) -> Outcome:
        """The outcome for one conversation; never raises on any text."""

    def drop(
        self, turns: tuple[Turn, ...], reason: str, detail: str = "", *, turn: int = 0, field: str = ""
    ) -> Outcome:
        """An outcome that asks to drop the conversation because of `field` of `turn` (1-based; 0: as a whole)."""
        change = Change(self.name, self.version, turn, field, 0, detail)
        return Outcome(turns, (change,), reason, detail)

    def tag(self, word: str, *, turn: int = 0, field: str = "") -> Tag:
        """A tag because of `field` of `turn` (1-based; 0: the conversation as a whole)."""
        return Tag(word, self.name, turn, field)


class TextRule(Rule):
    """A rule that rewrites texts one by one. Blanks at the edges of texts that are joined to others are not its business.

    The example of a bad answer stays as it is, for what is wrong with it may be the lesson: one labelled false always, a
    rejected one unless the chosen answer beside it has the same fault. mends_bad_answers: no answer may keep such a fault.
    """

    rewrites = True
    mends_bad_answers: ClassVar[bool] = False

    @abstractmethod
    def fix(self, text: str, field: str) -> tuple[str, int]:
        """(the better text, places changed); the same text and 0 when there is nothing to do."""

    def spares(self, view: View, turn: int, field: str, text: str) -> bool:
        """Whether a text stays as it is because of what the conversation is about or what the text is there for."""
        return False

    def apply(self, view: View) -> Outcome:
        fix = self._fix_inside if view.joined else self.fix
        changes: list[Change] = []
        out = list(view.turns)
        for index, turn in enumerate(view.turns):
            texts = list(turn[:5])
            found: list[Change] = []
            for place, text in enumerate(texts):
                field = TEXT_FIELDS[place]
                if text and not self._is_the_lesson(view, index + 1, field, found):
                    fixed, count = fix(text, field)
                    if fixed != text and not self.spares(view, index + 1, field, text):  # few are changed: asked last
                        texts[place] = fixed
                        found.append(Change(self.name, self.version, index + 1, field, count))
            if found:
                out[index] = Turn._make((*texts, *turn[5:]))
                changes += found
        return Outcome(tuple(out), tuple(changes)) if changes else Outcome(view.turns)

    def _is_the_lesson(self, view: View, turn: int, field: str, found: Sequence[Change]) -> bool:
        """Whether a fault of this text is one that a bad answer is there to show; found: changes of the turn so far."""
        if self.mends_bad_answers or view.side(turn, field) is not Side.AVERSE:
            return False
        return field != "rejected" or not any(change.field == "response" for change in found)

    def _fix_inside(self, text: str, field: str) -> tuple[str, int]:
        """`fix` for what lies between the blanks at both edges, which stay byte for byte."""
        inner = text.strip(_EDGE_BLANKS)
        if not inner or len(inner) == len(text):
            return self.fix(text, field) if inner else (text, 0)
        start = len(text) - len(text.lstrip(_EDGE_BLANKS))
        fixed, count = self.fix(inner, field)
        return text[:start] + fixed + text[start + len(inner) :], count


# Markdown code: fences of backticks or tildes (an unclosed one runs to the end), then spans within a line.
FENCES = lazily(r"^[ \t]*+(```++|~~~++)[^\n]*+\n.*?(?:^[ \t]*+\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
CODE = lazily(FENCES.pattern + r"|```.*?```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def outside(protected: re.Pattern[str], text: str, edit: Callable[[str], tuple[str, int]]) -> tuple[str, int]:
    """`edit` applied to the stretches of `text` outside the matches of `protected`, and the sum of its counts."""
    if "`" not in text and "~~~" not in text:
        return edit(text)
    parts: list[str] = []
    total = position = 0
    for match in protected.finditer(text):
        fixed, count = edit(text[position : match.start()])
        parts += (fixed, match.group())
        total += count
        position = match.end()
    fixed, count = edit(text[position:])
    parts.append(fixed)
    return "".join(parts), total + count


def prose(text: str) -> str:
    """`text` without its Markdown code."""
    return CODE.sub("", text) if "`" in text or "~~~" in text else text
