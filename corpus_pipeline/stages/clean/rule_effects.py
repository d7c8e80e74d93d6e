"""What each rule does to rows, counted and with examples: for a preview, and for measuring rules. Nothing is stored."""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from corpus_pipeline.model import Conversation, ConversationId
from corpus_pipeline.stages.clean.rule_pass import clean_turns
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View
from corpus_pipeline.stages.clean.text_differences import Difference, differences
from corpus_pipeline.states import RowState

EXAMPLES = 20
_SHOWN = 300  # characters of a text that is shown whole


class Effect(StrEnum):
    """What a rule may do to a row."""

    DROPPED = "dropped"
    CHANGED = "changed"
    TAGGED = "tagged"


class Example(NamedTuple):
    """One row that a rule did something to.

    words: the reason, the tags, or the fields that it changed; text: where it looked; differences: what it changed.
    """

    row: int
    effect: Effect
    words: tuple[str, ...]
    detail: str = ""
    text: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass
class RuleEffects:
    """What one rule did. rows: by effect; words: rows by reason, tag or changed field; places: texts changed."""

    rule: str
    rows: Counter[Effect] = field(default_factory=Counter)
    words: dict[Effect, Counter[str]] = field(default_factory=lambda: {effect: Counter() for effect in Effect})
    places: int = 0
    drawn: dict[Effect, list[tuple[int, int, Example]]] = field(
        default_factory=lambda: {effect: list[tuple[int, int, Example]]() for effect in Effect}
    )

    def examples(self, effect: Effect) -> list[Example]:
        """The examples of an effect in the order of their rows."""
        return sorted((example for _, _, example in self.drawn[effect]), key=lambda example: example.row)


class Effects:
    """The effects of the rules of a recipe on the rows that were handed in.

    rows, kept, changed, tagged: how many rows there were, were kept, are kept with a changed text, kept with a tag.
    """

    def __init__(self, rules: Sequence[Rule], *, joined: bool = False, examples: int = EXAMPLES) -> None:
        self._rules = rules
        self._joined = joined
        self._examples = examples
        self.of_rule = {rule.name: RuleEffects(rule.name) for rule in rules}
        self.rows = self.kept = self.changed = self.tagged = 0

    def take(self, number: int, conversation: Conversation, values: Mapping[str, Any] | None = None) -> None:
        """Let the rules look at row `number`. values: see `View`."""
        found = dict[tuple[str, Effect], Example]()

        def watch(rule: Rule, view: View, outcome: Outcome) -> None:
            for example in _examples(number, view, outcome):
                found.setdefault((rule.name, example.effect), example)

        cleaned = clean_turns(
            ConversationId(number),
            conversation.turns,
            conversation.tools,
            self._rules,
            joined=self._joined,
            shape=conversation.shape,
            watch=watch,
            values=values,
        )
        self.rows += 1
        if cleaned.state is RowState.KEPT:
            self.kept += 1
            self.changed += cleaned.turns is not None or cleaned.tools is not None or cleaned.shape is not None
            self.tagged += bool(cleaned.tags)
        for (rule, _), example in found.items():
            self._count(self.of_rule[rule], example)
        for change in cleaned.changes:
            self.of_rule[change.rule].places += change.count

    def _count(self, effects: RuleEffects, example: Example) -> None:
        effects.rows[example.effect] += 1
        effects.words[example.effect].update(example.words)
        # a draw that is the same at every look: those whose number has the lowest hash
        entry = (-zlib.crc32(str(example.row).encode()), example.row, example)
        drawn = effects.drawn[example.effect]
        if len(drawn) < self._examples:
            heapq.heappush(drawn, entry)
        elif drawn and entry > drawn[0]:
            heapq.heapreplace(drawn, entry)


def _examples(number: int, view: View, outcome: Outcome) -> list[Example]:
    found = list[Example]()
    if outcome.drop_reason is not None:
        place = outcome.changes[-1] if outcome.changes else None
        text = _text_at(view, place.turn, place.field) if place else view.text[:_SHOWN]
        return [Example(number, Effect.DROPPED, (outcome.drop_reason,), outcome.detail, text)]
    if outcome.changes:
        fields = tuple(dict.fromkeys(f"{change.field} {change.detail}".strip() for change in outcome.changes))
        found.append(Example(number, Effect.CHANGED, fields, differences=tuple(differences(view.turns, outcome.turns))))
    if outcome.tags:
        first = outcome.tags[0]
        words = tuple(dict.fromkeys(tag.word for tag in outcome.tags))
        found.append(Example(number, Effect.TAGGED, words, text=_text_at(view, first.turn, first.field)))
    return found


def _text_at(view: View, turn: int, field: str) -> str:
    """The beginning of a text; of the whole conversation when the place is no single text."""
    own = dict(view.turns[turn - 1].texts()).get(field) if 0 < turn <= len(view.turns) else None
    return (view.text if own is None else own)[:_SHOWN]
