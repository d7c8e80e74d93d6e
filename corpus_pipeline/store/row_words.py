"""The words of rows that must go, found again wherever they were quoted: in a reason, a message, a provider's sentence.

A quote of 16 letters and digits is none by accident. A shorter one is known by what it says: a whole short text, a word that
tells somebody (an address, a number, a key), a name, or a word that no other row says, nor this program. What is left is a
short quote of words that everybody uses; it points to no row.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any

from corpus_pipeline.lazy_patterns import lazily

PURGED_WORDS = "[purged: these words repeated a row that was removed]"
_LONG = 16  # letters and digits in a row that are no accident
_WHOLE = 12  # of a text that is shorter than that
_WORD = 8  # of a word with an @; with a digit or in capitals two more, so that a date is none
_MOST_PLACES = 1_000_000  # remembered of very long rows: then every second or third place, and a quote is longer
_OTHER = lazily(r"[\W_]+")
_TOKEN = lazily(r"[^\W_]+")
_SHORTEST = 4  # letters of a word that can be told from a syllable
_SHORT_OTHERS, _LONG_OTHERS = 2, 20  # other rows that make words common: one of them may be a copy
_DIGITS = 6  # of a number that is no count
# written without blanks between words: what three (of a syllable each) or six characters say is no accident
_DENSE = lazily(r"[\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]+")
_LOOSE = lazily(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff]+")
_ESCAPED = lazily(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")


class RowWords:
    """What some rows say. Of long quotes only letters and digits count, so that quoting and escaping hide nothing."""

    def __init__(
        self,
        texts: Iterable[str],
        others: Iterable[Iterable[str]] = (),
        names: Iterable[str] = (),
        ours: Collection[str] = (),
    ) -> None:
        """others: the texts of some other rows, row by row; names: of files, recipes, people, which are no quotes; ours: the
        `pieces` of what this program says."""
        leaves = [leaf for text in texts for leaf in _leaves(text)]
        letters = sorted({letters_of(leaf) for leaf in leaves})
        step = max(1, sum(map(len, letters)) // _MOST_PLACES)
        self._places = {
            one[place : place + _LONG] for one in letters for place in range(0, max(0, len(one) - _LONG + 1), step)
        }
        self._wholes = {one for one in letters if _WHOLE <= len(one) < _LONG}
        self._wholes |= {letters_of(word) for leaf in leaves for word in leaf.split() if _is_telling(word)}
        self._pieces = {piece for leaf in leaves for piece in pieces(leaf)}
        self._pieces |= {piece for leaf in leaves for piece in _phrases(leaf)}
        self._pieces -= set(ours)
        self._leave_to_others(others)
        for name in {letters_of(one) for one in names}:
            self._pieces.discard(name)
            self._wholes.discard(name)
            self._places -= {name[place : place + _LONG] for place in range(len(name) - _LONG + 1)}
        self._pieces -= {piece for one in names for piece in pieces(one)}
        self._spared = frozenset[str]()

    def _leave_to_others(self, others: Iterable[Iterable[str]]) -> None:
        """Drop what other rows say as well: short pieces of some, long ones of many (a system prompt)."""
        short, long = Counter[str](), Counter[str]()
        for row in others if self else ():
            leaves = [leaf for text in row for leaf in _leaves(text)]
            short.update(self._pieces & {piece for leaf in leaves for piece in _quotable(leaf)})
            letters = map(letters_of, leaves)
            windows = {one[place : place + _LONG] for one in letters for place in range(len(one) - _LONG + 1)}
            long.update(self._places & windows)
        self._pieces -= {piece for piece, rows in short.items() if rows >= _SHORT_OTHERS}
        self._places -= {piece for piece, rows in long.items() if rows >= _LONG_OTHERS}

    def __bool__(self) -> bool:
        return bool(self._places or self._wholes or self._pieces)

    def short_quotes(self, text: str) -> set[str]:
        """The pieces of a text that are short quotes."""
        return self._pieces & _quotable(text)

    def long_quotes(self, text: str) -> set[str]:
        """What of a text is no accident, even in long texts of people: 16 letters, a telling word, a name."""
        letters = letters_of(text)
        found = {letters[place : place + _LONG] for place in range(len(letters) - _LONG + 1)} & self._places
        found |= {whole for whole in self._wholes if whole in letters}
        return found | {piece.replace(" ", "") for piece in self.short_quotes(text) if " " in piece}

    def among(self, machinery: Collection[str], names: Collection[str]) -> RowWords:
        """The same words for texts of another program. machinery: short pieces that are its own; names: keys of its JSON whose
        values are its own."""
        found = RowWords(())
        found._places, found._wholes, found._pieces = self._places, self._wholes, self._pieces - set(machinery)
        found._spared = frozenset(names)
        return found

    def are_in(self, text: str) -> bool:
        """Whether a text quotes one of the rows."""
        if "\\" in text and (plain := _ESCAPED.sub(_character, text)) != text and self.are_in(plain):
            return True
        letters = letters_of(text)
        if any(letters[place : place + _LONG] in self._places for place in range(len(letters) - _LONG + 1)):
            return True
        if any(whole in letters for whole in self._wholes):
            return True
        return not self._pieces.isdisjoint(_quotable(text))

    def out_of(self, text: str) -> str:
        """The text without what quotes a row: a JSON document keeps its form, any other text goes as a whole."""
        document = _document(text)
        if document is None:
            return PURGED_WORDS if self.are_in(text) else text
        changed = self.out_of_document(document)
        return text if changed == document else json.dumps(changed, ensure_ascii=False)

    def out_of_document(self, value: Any) -> Any:
        """As `out_of`, for what a JSON document holds."""
        if isinstance(value, str):
            return self.out_of(value)
        if isinstance(value, list):
            return [self.out_of_document(one) for one in value]
        if isinstance(value, dict):
            return {
                PURGED_WORDS if self.are_in(key) else key: one if key in self._spared else self.out_of_document(one)
                for key, one in value.items()
            }
        return value


def pieces(text: str) -> Iterator[str]:
    """The words of a text, and where it is written without blanks each few characters of it, as they are compared."""
    folded = text.casefold()
    for token in _TOKEN.findall(folded):
        if len(token) >= (_DIGITS if token.isdigit() else _SHORTEST):
            yield token
    for script, size in ((_DENSE, 3), (_LOOSE, 6)):
        for run in script.findall(folded):
            yield from (run[place : place + size] for place in range(len(run) - size + 1))


def phrases(text: str) -> Iterator[str]:
    """Each two words of a text side by side, as they are compared."""
    return (f"{one} {other}" for one, other in pairwise(_TOKEN.findall(text.casefold())))


def _phrases(text: str) -> Iterator[str]:
    """Two words side by side that a row writes as a name: with capitals, or a number beside one."""
    for one, other in pairwise(_TOKEN.finditer(text)):
        between = text[one.end() : other.start()]
        if between.strip(" '-._") or len(between) > 2:
            continue
        both = (one[0], other[0])
        if all(word[0].isupper() or word.isdigit() for word in both) and sum(map(len, both)) >= _DIGITS:
            yield f"{both[0].casefold()} {both[1].casefold()}"


def _quotable(text: str) -> set[str]:
    return {*pieces(text), *phrases(text)}


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2], 16))


def letters_of(text: str) -> str:
    """What of a text is compared: its letters and digits, in small letters."""
    return _OTHER.sub("", text.casefold())


def _is_telling(word: str) -> bool:
    telling = "@" in word or word.isupper() or any(c.isdigit() for c in word)
    return telling and len(letters_of(word)) >= (_WORD if "@" in word else _WORD + 2)


def _document(text: str) -> Any:
    """The list or mapping that a text is, as JSON; None for any other text."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(text: str) -> Iterator[str]:
    """The texts of a JSON document, or the text itself."""
    document = _document(text)
    waiting = [text if document is None else document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
