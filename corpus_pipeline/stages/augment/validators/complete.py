"""Did the text come to its end? A server may say `stop` in the middle of a word."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.content import is_function_word
from corpus_pipeline.stages.augment.validators.scripts import script_weights
from corpus_pipeline.stages.augment.validators.words import BadReason

_FENCE: Final = lazily(r"^[ \t]*(```+|~~~+)", re.MULTILINE)
_ENDS: Final = lazily(
    "[.!?:;…。！？：；．｡।॥؟۔።։\\]\\)）】」』》\\}\"'”’»*_`>|/~°%€$£¥\\d]$|[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f)(:]$|\\Z(?<=-->)"
)
_OPENERS: Final = {"(": ")", "[": "]", "{": "}", "（": "）", "「": "」", "『": "』", "«": "»", "“": "”"}
_DANGLING: Final = lazily(r"(?:[,،、，;；(（\[{«“„=+\-–—/&]|\\[A-Za-z]*)$")
_ELIDED: Final = lazily(r"(?<![^\W\d_])(?:[dljmtnscDLJMTNSC]|[Qq]u|dell|nell|sull|all)['’]$")
_STRUCTURE: Final = lazily(r"^\s*(?:[-*+•]|\d+[.)]|\||#|>|[A-Za-z]:\s|\w+:\s*$)")
_NO_STOP_SCRIPTS: Final = frozenset({"thai", "lao", "khmer", "myanmar"})  # that end sentences without a sign
_NEVER_LAST: Final = frozenset(
    "the a an and or of to in for with from by at on into that which who whose because while if than as is are was were be been their its his"
    " my your our this these der die das den dem ein eine einen und oder von zu mit für auf aus bei weil dass wenn le la les un une des du de et ou"
    " avec pour dans sur par que qui el los las una y o con para por en se il lo gli di del e ed nel nella per o os as um uma do da dos das"
    " em com и или в на с к от для что который которая het een of van met voor op door".split()
)
_MIN_WORDS: Final = 5
_MIN_PLAIN_WORDS: Final = 7  # of a line without a comma that is as long as its source: a shorter one may be a title
_SHORTER: Final = 0.75  # than its source


@dataclass(frozen=True)
class Complete(PairValidator):
    """No open code fence or bracket at the end, no sentence that stops in its middle, where the source ends its own."""

    name: ClassVar[str] = "complete"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        text = pair.new.rstrip()
        if "„" in text:
            text = text.replace("“", "”")  # which closes what „ opens
        why = _open_fence(text, pair.source) or _open_end(text, pair.source) or _stops(text, pair)
        if why is None:
            return None
        return BadAnswer(BadReason.CUT, f"{pair.field} {why}", evidence=(text[-60:],))


def _open_fence(text: str, source: str) -> str | None:
    if "```" not in text and "~~~" not in text:
        return None
    opened: str | None = None
    for mark in _FENCE.findall(text):
        if opened is None:
            opened = mark
        elif mark[0] == opened[0] and len(mark) >= len(opened):
            opened = None
    if opened is None or _open_fence_of_source(source):
        return None
    return "ends within a block of code"


_EMPTY_ITEM: Final = lazily(r"(?:\A|\n)[ \t]*(?:\d{1,3}[.)、]|[-*+•])\Z")
_CLOSES: Final = {"{": "}", "[": "]"}


def _open_end(text: str, source: str) -> str | None:
    """An item of a list that has no text, or data that never close, where those of the source do."""
    if _EMPTY_ITEM.search(text) and "\n" in text and not _EMPTY_ITEM.search(source.rstrip()):
        return "ends with an empty item"
    known = source.strip()
    if not known or known[0] not in _CLOSES or text.lstrip()[:1] not in _CLOSES:
        return None
    closed = known.endswith(_CLOSES[known[0]]) and _parses(known)
    return "ends within its data" if closed and not _parses(text.strip()) and not _balanced(text) else None


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _balanced(text: str) -> bool:
    return all(text.count(opener) <= text.count(closer) for opener, closer in _CLOSES.items())


def _open_fence_of_source(source: str) -> bool:
    return len(_FENCE.findall(source)) % 2 == 1


def _stops(text: str, pair: Pair) -> str | None:
    last = text.rpartition("\n")[2].strip()
    words = last.split()
    if not last or _FENCE.match(last) or "`" in last[-3:]:
        return None
    if _DANGLING.search(last) and not _DANGLING.search(pair.source.rstrip()) and len(text.split()) >= _MIN_WORDS:
        return "ends with a sign that goes on"
    if _ELIDED.search(last) and not _ELIDED.search(pair.source.rstrip()):
        return "ends with a word that another one follows"
    if opened := _opened(text, pair.source):
        return f"never closes its {opened}"
    if _ENDS.search(last):
        return None
    final = words[-1].casefold().strip("*_\"'") if words else ""
    is_question = pair.field == "prompt" and _ASKS_FIRST.match(text) is not None and final in _LAST_OF_QUESTIONS
    if len(words) >= _MIN_WORDS and final in _NEVER_LAST and not is_question and not _ends_like_that(pair.source):
        return f"ends with {final!r}"
    least = _MIN_WORDS if "," in last or len(text) < _SHORTER * len(pair.source) else _MIN_PLAIN_WORDS
    if not _is_sentence(pair.source) or _ENDS_WITH_AUTHOR.search(last) or _has_no_stops(text):
        return None
    if pair.field == "prompt" and not _EARLIER.search(text):
        return None  # a request of one sentence without its sign
    if _is_prose(last, text, least) or _breaks_off(last):
        return "ends in the middle of a sentence"
    return None


_ENDS_WITH_AUTHOR: Final = lazily(r"[.!?\"”’»]\s*[-–—~]\s*[A-Z]\w*\.?(?: [A-Z][\w.]*){0,3}$")
_FEWEST_LINES: Final = 4
_WITHOUT_STOPS: Final = 0.6  # of the lines of a text: it is a poem or a list


def _has_no_stops(text: str) -> bool:
    lines = [line.strip() for line in text.split("\n")[:-1] if line.strip()]
    return len(lines) >= _FEWEST_LINES and sum(not _ENDS.search(line) for line in lines) >= _WITHOUT_STOPS * len(lines)


_ASKS_FIRST: Final = lazily(r"\W*(?:what|which|who|whom|where|how)\b", re.IGNORECASE)
_LAST_OF_QUESTIONS: Final = frozenset("of to in for with from by at on into".split())
_EARLIER: Final = lazily(r"[.!?。！？][\"'”’」』»)）]*\s*(?=\S)")
_MIN_REST: Final = 2  # words behind the last full stop; of scripts without blanks, twice as many letters


def _breaks_off(last: str) -> bool:
    """Whether a line ends its sentences but for the last one."""
    parts = _EARLIER.split(last)
    rest = parts[-1].strip() if len(parts) > 1 else ""
    weights = script_weights(last)
    if not rest or not weights or weights.most_common(1)[0][0] in _NO_STOP_SCRIPTS or _STRUCTURE.match(last):
        return False
    if weights["han"] + weights["kana"] > 0.5 * sum(weights.values()):
        return len(rest) >= 2 * _MIN_REST
    return len(rest.split()) >= _MIN_REST and rest[-1].isalpha() and weights["hangul"] > 0.5 * sum(weights.values())


def _ends_like_that(source: str) -> bool:
    words = source.split()
    return bool(words) and words[-1].casefold() in _NEVER_LAST


def _opened(text: str, source: str) -> str | None:
    """The bracket of the last paragraph that is never closed, where the source closes its own."""
    if "```" in text or "\\" in text or any(sign in text for sign in (":(", ":-(", ";(")):
        return None
    last = text.rpartition("\n\n")[2]
    for opener, closer in _OPENERS.items():
        if last.count(opener) > last.count(closer) and source.count(opener) <= source.count(closer):
            return opener
    return None


def _is_prose(last: str, text: str, least: int) -> bool:
    """Whether a last line of at least this many words is a sentence: no item of a list, no heading, code, name or table."""
    if _STRUCTURE.match(last) or (text.count("\n") >= 2 and len(last.split()) < 8):
        return False
    weights = script_weights(last)
    if not weights or weights.most_common(1)[0][0] in _NO_STOP_SCRIPTS:
        return False
    if weights["han"] + weights["kana"] > 0.5 * sum(weights.values()):
        return sum(weights.values()) >= 30
    words = last.split()
    if text[:1].islower() and "." not in text:
        return False  # in a style without capitals there are no full stops either
    return len(words) >= least and any(is_function_word(word.strip(".,;:!?\"'()")) for word in words)


def _is_sentence(source: str) -> bool:
    """Whether the source is prose that ends its sentences."""
    last = source.rstrip().rpartition("\n")[2].strip()
    return (len(source.split()) >= 3 and bool(re.search(r"[.!?…。！？｡।؟۔][\"'”’»)）\]*_]*$", last))) or (
        len(last) >= 8 and bool(re.search(r"[。！？｡]$", last))
    )
