"""The words of rows that must go, found again wherever they were quoted: in a reason, a message, a provider's sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

PURGED_WORDS = "[purged: these words repeated a row that was removed]"
_LONG = 16  # letters and digits in a row that are no accident
_WHOLE = 12  # of a text that is shorter than that
_WORD = 8  # of a word with an @; with a digit or in capitals two more, so that a date is none
_MOST_PLACES = 1_000_000  # remembered of very long rows: then every second or third place, and a quote is longer
_OTHER = re.compile(r"[\W_]+")


class RowWords:
    """What some rows say. Only letters and digits count, so that quoting and escaping hide nothing."""

    def __init__(self, texts: Iterable[str]) -> None:
        leaves = [leaf for text in texts for leaf in _leaves(text)]
        letters = sorted({_letters(leaf) for leaf in leaves})
        step = max(1, sum(map(len, letters)) // _MOST_PLACES)
        self._places = {
            one[place : place + _LONG] for one in letters for place in range(0, max(0, len(one) - _LONG + 1), step)
        }
        self._wholes = {one for one in letters if _WHOLE <= len(one) < _LONG}
        self._wholes |= {_letters(word) for leaf in leaves for word in leaf.split() if _is_telling(word)}

    def __bool__(self) -> bool:
        return bool(self._places or self._wholes)

    def are_in(self, text: str) -> bool:
        """Whether a text quotes one of the rows."""
        letters = _letters(text)
        if any(letters[place : place + _LONG] in self._places for place in range(len(letters) - _LONG + 1)):
            return True
        return any(whole in letters for whole in self._wholes)

    def out_of(self, text: str) -> str:
        """The text without what quotes a row: a JSON document keeps its form, any other text goes as a whole."""
        document = _document(text)
        if document is None:
            return PURGED_WORDS if self.are_in(text) else text
        changed = self._out_of_document(document)
        return text if changed == document else json.dumps(changed, ensure_ascii=False)

    def _out_of_document(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.out_of(value)
        if isinstance(value, list):
            return [self._out_of_document(one) for one in value]
        if isinstance(value, dict):
            return {PURGED_WORDS if self.are_in(key) else key: self._out_of_document(one) for key, one in value.items()}
        return value


def _letters(text: str) -> str:
    return _OTHER.sub("", text.casefold())


def _is_telling(word: str) -> bool:
    telling = "@" in word or word.isupper() or any(c.isdigit() for c in word)
    return telling and len(_letters(word)) >= (_WORD if "@" in word else _WORD + 2)


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
