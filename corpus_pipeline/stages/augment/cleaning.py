"""The cleaning rules of a recipe, applied to what a model wrote: a new row passes what a source row passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Cleaned, Conversation, ConversationId, Turn
from corpus_pipeline.stages.augment.strategies.base import Accepted
from corpus_pipeline.stages.clean.rule_pass import clean_turns
from corpus_pipeline.stages.clean.rules.base import Rule
from corpus_pipeline.states import RowState

_NO_ID = ConversationId(0)


class NewRowCleaning:
    """The rules of a recipe for new rows. joins: whether the format of the file joins texts (see `Format.joins`)."""

    def __init__(self, rules: Sequence[Rule], *, joins: bool = False) -> None:
        self._rules, self._joins = tuple(rules), joins

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...]) -> Accepted:
        """The new turns as the rules leave them, with what they changed and their tags.

        Raises BadAnswer with the rule's reason when a rule would drop the row and not the row that it was made from.
        """
        found = self._cleaned(conversation, turns)
        if found.state is RowState.DROPPED:
            if self._cleaned(conversation, conversation.turns).reason != found.reason:
                raise _refused(found)
            found = self._cleaned(conversation, turns, keep=True)  # a person keeps the source anyway
        changes: Counter[str] = Counter()
        for change in found.changes:
            changes[change.rule] += change.count
        tags = tuple(dict.fromkeys(tag.word for tag in found.tags))
        return Accepted(turns if found.turns is None else found.turns, tags, +changes)

    def _cleaned(self, conversation: Conversation, turns: tuple[Turn, ...], *, keep: bool = False) -> Cleaned:
        return clean_turns(_NO_ID, turns, conversation.tools, self._rules, joined=self._joins, keep=keep)


def _refused(found: Cleaned) -> BadAnswer:
    last = found.changes[-1] if found.changes else None
    rule = "a rule" if last is None else last.rule
    said = f"cleaning would drop the new row: {rule}" + (f", {last.detail}" if last and last.detail else "")
    fault = BadAnswer(str(found.reason), said)
    fault.validator = f"clean.{rule}"
    return fault
