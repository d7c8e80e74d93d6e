"""What a cleaning rule is: it looks at the turns of one conversation and tags, transforms or asks to drop it.

A rule is pure, holds nothing but its validated parameters, and is picklable, so that it may run in a pool of processes.
Clean text must cost next to nothing: before a rule is applied the pass asks its `screen`, which sees the whole
conversation as one `View` (one joined text and its special characters, both computed once for all rules). A screen may
say yes too often, never no when the rule would act.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from corpus_pipeline.model import TEXT_FIELDS, Change, Turn

# Letters, blanks, the punctuation of prose, and the bytes of everything beyond ASCII: what `View.marks` leaves out.
_PROSE = bytes(c for c in range(128) if chr(c).isalpha()) + b" \n.,;:'\"!?()-/" + bytes(range(128, 256))
_ASCII = bytes(range(128))


class View:
    """One conversation as the screens see it.

    texts: every text, in reading order, without its field; text: the same joined by a line feed;
    data: `text` in UTF-8; ascii: whether it is pure ASCII;
    marks: the ASCII bytes of `text` that are rare in prose (digits, brackets, `<&@_|~`, control characters), in order;
    beyond: its characters beyond ASCII, in order; tools: the definitions of the tools that the assistant may call.
    """

    __slots__ = ("ascii", "beyond", "data", "marks", "text", "texts", "tools", "turns")

    def __init__(self, turns: Sequence[Turn], tools: str | None = None) -> None:
        self.turns = turns
        self.tools = tools
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


class Outcome(NamedTuple):
    """What a rule says of a conversation; `turns` is the same object as before when nothing changed."""

    turns: tuple[Turn, ...]
    changes: tuple[Change, ...] = ()
    drop_reason: str | None = None
    detail: str = ""
    language: str | None = None


class RuleParams(BaseModel):
    """Base of the parameters of a rule: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(ABC):
    """One cleaning rule.

    name: the word of the recipe and of `Change.rule`; version: raised when the same input gives another outcome;
    summary: one sentence for the generated documentation; reasons: every word that `Outcome.drop_reason` may be.
    Keyword arguments are the parameters; a bad one raises pydantic.ValidationError.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    summary: ClassVar[str]
    reasons: ClassVar[tuple[str, ...]] = ()
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
    def apply(self, turns: tuple[Turn, ...]) -> Outcome:
        """The outcome for one conversation; never raises on any text."""

    def drop(
        self, turns: tuple[Turn, ...], reason: str, detail: str = "", *, turn: int = 0, field: str = ""
    ) -> Outcome:
        """An outcome that asks to drop the conversation because of `field` of `turn` (1-based; 0: as a whole)."""
        change = Change(self.name, self.version, turn, field, 0, detail)
        return Outcome(turns, (change,), reason, detail)


class TextRule(Rule):
    """A rule that rewrites texts one by one."""

    rewrites = True

    @abstractmethod
    def fix(self, text: str, field: str) -> tuple[str, int]:
        """(the better text, places changed); the same text and 0 when there is nothing to do."""

    def apply(self, turns: tuple[Turn, ...]) -> Outcome:
        changes: list[Change] = []
        out = list(turns)
        for index, turn in enumerate(turns):
            texts = list(turn[:5])
            changed = False
            for place, text in enumerate(texts):
                if text:
                    fixed, count = self.fix(text, TEXT_FIELDS[place])
                    if fixed != text:
                        texts[place] = fixed
                        changed = True
                        changes.append(Change(self.name, self.version, index + 1, TEXT_FIELDS[place], count))
            if changed:
                out[index] = Turn._make((*texts, *turn[5:]))
        return Outcome(tuple(out), tuple(changes)) if changes else Outcome(turns)


# Markdown code: fences of backticks or tildes (an unclosed one runs to the end), then spans within a line.
FENCES = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n.*?(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
CODE = re.compile(FENCES.pattern + r"|```.*?```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


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
