"""Is the new text about what its source is about, and is it what was asked for: a request, or an answer?"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator, Validator
from corpus_pipeline.stages.augment.validators.content import in_common, is_function_word, shared, stems
from corpus_pipeline.stages.augment.validators.numbers import first_verdict
from corpus_pipeline.stages.augment.validators.scripts import FENCED_CODE, script_weights
from corpus_pipeline.stages.augment.validators.words import BadReason

_MIN_STEMS: Final = 4  # a shorter text may well be said in words of its own
_LONG: Final = 24  # stems, of which one in common is chance
_NEIGHBOURS: Final = 2000  # rows: more than there are under way at once, whose answers may be mixed up
_NEIGHBOUR_CHARACTERS: Final = 600  # of a prompt and of a response: what they are about


class OnSubject(Validator):
    """The new text has a content word in common with what it was made from: it is not another row's."""

    name: ClassVar[str] = "on_subject"

    def __init__(self, field: str) -> None:
        self._field = field

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """See `Validator`."""
        found = _in_common(conversation, turns, self._field)
        if found is None or found.common > (len(found.own) >= _LONG):
            return None
        detail = f"{self._field} has no content word of its source"
        return BadAnswer(BadReason.OFF_TOPIC, detail, evidence=_evidence(turns, self._field))


class Neighbours:
    """The rows of a file that were read last, at most `most`: those to which a strayed answer may belong."""

    def __init__(self, most: int = _NEIGHBOURS) -> None:
        self._most = most
        self._texts: OrderedDict[int, str | frozenset[str]] = OrderedDict()

    def add(self, conversation: Conversation) -> None:
        """Remember what a row is about; the oldest is forgotten."""
        if conversation.row_identifier in self._texts:
            return
        last = conversation.turns[-1]
        said = (last.prompt or "", last.response or "")
        self._texts[conversation.row_identifier] = " ".join(text[:_NEIGHBOUR_CHARACTERS] for text in said)
        if len(self._texts) > self._most:
            self._texts.popitem(last=False)

    def owner(self, own: frozenset[str], other_than: int, at_least: int = 0) -> int | None:
        """The row with which a text has most content words in common: `at_least` this many, and more than a third of it."""
        best, most = None, max(2.0, len(own) / 3, at_least - 1)
        for row, known in self._texts.items():
            if isinstance(known, str):
                known = self._texts[row] = stems(known)
            common = shared(own, known)
            if common > most and row != other_than:
                best, most = row, float(common)
        return best


class OnOwnRow(Validator):
    """The new text is not about another row of the file while it has hardly a content word of its own."""

    name: ClassVar[str] = "on_own_row"

    def __init__(self, field: str, neighbours: Neighbours) -> None:
        self._field, self._neighbours = field, neighbours

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """See `Validator`."""
        found = _in_common(conversation, turns, self._field)
        if found is None or found.common > 1:
            return None
        owner = self._neighbours.owner(found.own, conversation.row_identifier, at_least=4 * found.common)
        if owner is None:
            return None
        detail = f"{self._field} is about row {owner} and not about its own"
        return BadAnswer(BadReason.OFF_TOPIC, detail, evidence=_evidence(turns, self._field))


def _evidence(turns: tuple[Turn, ...], field: str) -> tuple[str, ...]:
    return ((getattr(turns[-1], field) or "").strip()[:200],)


class _InCommon(NamedTuple):
    """The stems of a new text, and how many of them its source has."""

    own: frozenset[str]
    common: int


def _in_common(conversation: Conversation, turns: tuple[Turn, ...], field: str) -> _InCommon | None:
    """What a new text has in common with its source; None when nothing can be said of it."""
    new = getattr(turns[-1], field) or ""
    if "```" in new or ("~~~" in new and FENCED_CODE.search(new)):
        return None
    own = stems(new)
    if len(own) < _MIN_STEMS:
        return None
    known = [text for turn in (*conversation.turns[: len(turns)], *turns[:-1]) for _, text in turn.texts()]
    known += [turns[-1].prompt or ""] if field != "prompt" else []
    around = frozenset().union(*map(stems, known))
    if len(around) < _MIN_STEMS or not _one_script(new, " ".join(known)):
        return None
    return _InCommon(own, shared(own, around))


def _one_script(one: str, other: str) -> bool:
    found = script_weights(one).most_common(1), script_weights(other).most_common(1)
    return bool(found[0] and found[1]) and found[0][0][0] == found[1][0][0]


_ASKS: Final = lazily(
    r"[?？؟;]\s*[\"”'»)\]]*\s*(?:\Z|\n)|[?？؟]"
    r"|\b(?:please|could you|can you|would you|i(?:'d| would) like|i want|i need|let me know|tell me|bitte|könnten sie|könntest du|ich möchte"
    r"|s'il (?:vous|te) plaît|pourriez|pouvez-vous|por favor|podrías|puedes|quiero|me gustaría|per favore|potresti|vorrei"
    r"|por gentileza|poderia|gostaria|alsjeblieft|kun je|proszę|czy możesz|пожалуйста|можешь|хочу)\b"
    r"|请|請|吗|呢|帮我|教えて|ください|해 ?주세요|알려",
    re.IGNORECASE,
)
_FEW_WORDS: Final = 4  # of an answer that a text may say as a whole
_MIN_LEAKED: Final = 3  # words of the answer that a request cannot know
_LEAKED_SHARE: Final = 0.25


@dataclass(frozen=True)
class AsksStill(PairValidator):
    """A request in other words is still a request: it does not say what only the answer knows."""

    name: ClassVar[str] = "asks_still"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        if first_verdict(pair.new) and not first_verdict(pair.source) and not _ASKS.search(pair.new):
            return self._fault(pair, frozenset(pair.new.split()[:1]))
        own, asked, known = stems(pair.new), stems(pair.source), stems(pair.known)
        only_answer = known - in_common(known, asked)
        leaked = in_common(own, only_answer)
        rest = own - leaked
        if _begins_alike(pair) and len(leaked) >= 2:
            return self._fault(pair, leaked)
        if _states(pair) and 0 < len(only_answer) <= _FEW_WORDS and len(leaked) == len(only_answer):
            return self._fault(pair, leaked)  # the whole of a short answer
        if _states(pair) and leaked and 3 * shared(rest, asked) >= 2 * len(rest):
            return self._fault(pair, leaked)  # what was asked, as a statement, with a word of the answer
        if _lost_its_task(pair) and leaked:
            return self._fault(pair, leaked)
        least = 2 if _states(pair) else _MIN_LEAKED
        if len(leaked) < least or len(leaked) < _LEAKED_SHARE * len(own):
            return None
        if _ASKS.search(pair.new) and len(leaked) <= shared(rest, asked):
            return None
        if len(leaked) <= shared(own, asked) and not _states(pair):
            return None
        return self._fault(pair, leaked)

    @staticmethod
    def _fault(pair: Pair, leaked: frozenset[str]) -> BadAnswer:
        detail = f"{pair.field} answers instead of asking: {', '.join(sorted(leaked)[:6])} are words of the answer"
        return BadAnswer(BadReason.ANSWERED, detail, evidence=(pair.new.strip()[:200],))


_TASK_AND_TEXT: Final = lazily(r"\A([^:：\n]{4,80})[:：]\s*(\S.{40,})\Z", re.DOTALL)


def _lost_its_task(pair: Pair) -> bool:
    """Whether the source gives a task and the text for it, and the new text has no word of the task and asks for nothing."""
    found = _TASK_AND_TEXT.match(pair.source.strip())
    if found is None or _ASKS.search(pair.new) or re.search("[:：]", pair.new):
        return False
    task, text = found.groups()
    return not shared(stems(pair.new), stems(task)) and len(pair.new) < _MUCH_SHORTER * len(text)


_MUCH_SHORTER: Final = 0.7


def _begins_alike(pair: Pair) -> bool:
    """Whether the new request begins with the word with which the answer begins, and its source does not."""
    first = [re.findall(r"\w+", text.casefold())[:1] for text in (pair.new, pair.known, pair.source)]
    return bool(first[0]) and first[0] == first[1] != first[2] and not is_function_word(first[0][0])


def _states(pair: Pair) -> bool:
    """Whether the source asks and the new text does not."""
    return bool(_ASKS.search(pair.source)) and not _ASKS.search(pair.new)
