"""A first look: automata of re2 that let nearly all texts go before slow patterns are asked. Yes too often, never no.

re2 reads a text once, whatever the pattern, but lacks assertions and back references and reads classes as ASCII:
`wider` turns a pattern of `re` into one that matches wherever it does, `words_needed` into words of which every match has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]  # what `re` compiles a pattern from
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

import orjson
import re2

from corpus_pipeline.lazy_patterns import lazily

NEEDED_WORDS: Final = Path(__file__).with_name("needed_words.json")  # `scripts/needed_words.py` writes it
_MEMORY: Final = 96 << 20  # bytes that the automaton of many patterns may take
_MOST_WORDS: Final = 64  # that a part of a pattern is spelt out in
_MOST_LETTERS: Final = 8  # of a class that is spelt out
_DOTLESS: Final = str.maketrans("\u0130\u0131", "ii")  # `re` takes them for an i where case is ignored, re2 does not

_BEYOND: Final = r"\x{80}-\x{10ffff}"
_CLASSES: Final = {
    r"\d": f"[0-9{_BEYOND}]",
    r"\w": f"[0-9A-Za-z_{_BEYOND}]",
    r"\s": rf"[\x00-\x20{_BEYOND}]",
    r"\A": "",
    r"\Z": "",
}
_PARTS: Final = lazily(
    r"\(\?<?[!=]|\(\?P=\w+\)|\(\?P<\w+>|\(\?:|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}[?+]?|[()]|[?*+][?+]?|[^\\\[()?*+{}]+|[{}]"
)


def wider(pattern: str, *, borders: bool = False, any_letter: bool = False) -> str:
    """A pattern for re2 that matches wherever `pattern` does, a pattern of `re` without groups of flags.

    borders: keep `\\b`, which re2 knows between ASCII letters only; for texts in ASCII. any_letter: what stands for letters,
    blanks or digits stands for any character, which keeps the automaton of many patterns small.
    """
    pattern = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), pattern)
    parts: list[str] = []
    left = 0  # parentheses of a lookaround that are still open
    for token in _PARTS.findall(pattern):
        if left:
            left += token.startswith("(") and not token.startswith("(?P=")
            left -= token == ")"
        elif re.fullmatch(r"\(\?<?[!=]", token):
            left = 1
        elif token.startswith("(?P="):
            parts.append(".*")
        elif token.startswith("(?P<"):
            parts.append("(?:")
        elif token == r"\b":
            parts.append(token if borders else "")
        elif token in _CLASSES:
            parts.append("." if any_letter and _CLASSES[token] else _CLASSES[token])
        elif token.startswith("["):
            parts.append("." if token.startswith("[^") or re.search(r"\\[wWdDsS]", token) else token)
        elif token[0] == "\\":
            parts.append("." if token[1] in "WDSB" else token)
        elif re.fullmatch(r"\{\d*,\d*\}[?+]?|[?*+][?+]|\{\d+\}[?+]", token):
            parts.append("*" if token[0] == "{" else token[0])
        else:
            parts.append(re.sub(r"[$^]", "", token) if token[0] not in "{}" else token)
    return "".join(parts)


def words_needed(pattern: str) -> frozenset[str] | None:
    """Words of which every match of a pattern of `re` has one, the longest that can be told; None where there are none."""
    found = _in_a_row(_parser.parse(pattern))[1]
    return None if found is None else frozenset(found)


def name_of(pattern: str) -> str:
    """The name of a pattern in `NEEDED_WORDS`."""
    return blake2b(pattern.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@cache
def _written_words() -> dict[str, list[str] | None]:
    found: dict[str, list[str] | None] = orjson.loads(NEEDED_WORDS.read_bytes())
    return found


def _words_of(pattern: str) -> frozenset[str] | None:
    """`words_needed`, from the file where it stands there: telling those of all refusals takes a third of a second."""
    try:
        known = _written_words()[name_of(pattern)]
    except KeyError:  # a pattern of a plugin, or one that was changed since
        return words_needed(pattern)
    return None if known is None else frozenset(known)


# (all that a part of a pattern can match, None: not to be listed; words of which each of its matches has one)
_Spelt = tuple[set[str] | None, set[str] | None]


def _in_a_row(parts: Iterable[tuple[Any, Any]]) -> _Spelt:
    run, best, whole = {""}, None, True
    for code, value in parts:
        all_of, some_of = _spelt(code, value)
        if all_of is not None and len(run) * len(all_of) <= _MOST_WORDS:
            run = {before + word for before in run for word in all_of}
            continue
        whole = False
        best = _better(_better(best, run), some_of)
        run = {""} if all_of is None else all_of
    return (run if whole else None), _better(best, run)


def _spelt(code: Any, value: Any) -> _Spelt:
    if code is codes.LITERAL:
        return {chr(value)}, None
    if code in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
        return {""}, None
    if code is codes.IN:
        return _letters_of(value), None
    if code is codes.BRANCH:
        found = [_in_a_row(part) for part in value[1]]
        words = [_better(some_of, all_of) for all_of, some_of in found]
        listed = [all_of for all_of, _ in found if all_of is not None]
        every = set().union(*listed) if len(listed) == len(found) else None
        known = [some_of for some_of in words if some_of is not None]
        return every, set().union(*known) if len(known) == len(words) else None
    if code is codes.SUBPATTERN and not value[1]:  # no flags of its own
        return _in_a_row(value[3])
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, most, part = value
        all_of, some_of = _in_a_row(part)
        if least == 0:
            return (all_of | {""} if most == 1 and all_of is not None else None), None
        return (all_of if least == most == 1 else None), _better(some_of, all_of)
    return None, None


def _letters_of(members: Iterable[tuple[Any, Any]]) -> set[str] | None:
    found = set[str]()
    for code, value in members:
        if code is codes.LITERAL:
            found.add(chr(value))
        elif code is codes.RANGE and value[1] - value[0] < _MOST_LETTERS:
            found.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return found if len(found) <= _MOST_LETTERS else None


def _better(best: set[str] | None, other: set[str] | None) -> set[str] | None:
    """Of two sets of words the one whose shortest word is longer, then the smaller one."""
    if other is None or "" in other:
        return best
    if best is None or (min(map(len, other)), -len(other)) > (min(map(len, best)), -len(best)):
        return other
    return best


def _options(ignore_case: bool) -> re2.Options:
    options = re2.Options()
    options.never_capture, options.dot_nl, options.log_errors = True, True, False
    options.case_sensitive = not ignore_case
    return options


class MayMatch:
    """Many patterns that are tried on every text and hardly ever match: `search` says that none matches, or that one may.

    The words that they need are looked for first, by an automaton of few states. That of the patterns themselves meets new
    states in every text, for there are many, and takes thirty times as long.
    ignore_case: as `re.IGNORECASE`. A pattern may be tried on a part of the text: what it says of its ends does not count.
    apart: each pattern has an automaton of its own behind its own words, where one of all would outgrow its memory: it is
    then made anew for every text.
    """

    def __init__(self, patterns: Iterable[str], *, ignore_case: bool = False, apart: bool = False) -> None:
        self._ignore_case = ignore_case
        self._patterns = list(patterns)
        self._apart = apart

    # made when the first text comes: what long patterns need takes a second to tell, and most processes never ask

    @cached_property
    def patterns(self) -> list[str]:
        """The patterns as they are tried."""
        return [pattern.translate(_DOTLESS) if self._ignore_case else pattern for pattern in self._patterns]

    @cached_property
    def _each(self) -> list[MayMatch]:
        return [MayMatch([pattern], ignore_case=self._ignore_case) for pattern in self._patterns] if self._apart else []

    @cached_property
    def _needed(self) -> frozenset[str] | None:
        needed = (
            [one._needed for one in self._each] if self._apart else [_words_of(pattern) for pattern in self.patterns]
        )
        known = [words for words in needed if words is not None]
        return frozenset[str]().union(*known) if len(known) == len(needed) else None

    @cached_property
    def _words(self) -> re2._Regexp | None:
        if self._needed is None:
            return None
        return re2.compile("|".join(map(re2.escape, sorted(self._needed))), self._options)

    @cached_property
    def _automaton(self) -> re2._Regexp | None:
        if self._apart:
            return None
        return re2.compile(
            "|".join(f"(?:{wider(pattern, any_letter=True)})" for pattern in self.patterns), self._options
        )

    @property
    def _options(self) -> re2.Options:
        options = _options(self._ignore_case)
        options.max_mem = _MEMORY
        return options

    def search(self, text: str) -> bool:
        """Whether one of the patterns may match."""
        folded = text.translate(_DOTLESS) if self._ignore_case and not text.isascii() else text
        return self._search(folded.encode("utf-8", "replace"))

    def which(self, text: str) -> tuple[int, ...]:
        """The places of the patterns that may match, ascending; of patterns that are `apart`."""
        folded = text.translate(_DOTLESS) if self._ignore_case and not text.isascii() else text
        data = folded.encode("utf-8", "replace")
        if self._words is not None and self._words.search(data) is None:
            return ()
        return tuple(place for place, one in enumerate(self._each) if one._search(data))

    def _search(self, data: bytes) -> bool:
        if self._words is not None and self._words.search(data) is None:
            return False
        if self._automaton is None:
            return any(one._search(data) for one in self._each)
        return self._automaton.search(data) is not None


class Screened:
    """A pattern of `re` behind its automaton: where the automaton finds nothing, `search` does not ask the pattern."""

    def __init__(self, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self.compiled = lazily(pattern, flags)
        self._options = _options(bool(flags & re.IGNORECASE))

    @cached_property
    def _of_any(self) -> re2._Regexp:
        return re2.compile(wider(self.compiled.pattern), self._options)

    @cached_property
    def _of_ascii(self) -> re2._Regexp:
        return re2.compile(wider(self.compiled.pattern, borders=True), self._options)

    def search(self, text: str) -> re.Match[str] | None:
        """As that of `re.Pattern`."""
        return self.compiled.search(text) if self._may_match(text) else None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As that of `re.Pattern`."""
        return self.compiled.finditer(text) if self._may_match(text) else iter(())

    def _may_match(self, text: str) -> bool:
        automaton = self._of_ascii if text.isascii() else self._of_any
        return automaton.search(text.encode("utf-8", "replace")) is not None


class Which:
    """Which of many patterns may match a text. (Not `re2.Set`: out of memory, it says that nothing matches.)"""

    def __init__(self, patterns: Sequence[str]) -> None:
        wide = [wider(pattern) for pattern in patterns]
        self._any = re2.compile("|".join(f"(?:{pattern})" for pattern in wide), _options(False))
        self._each = [re2.compile(pattern, _options(False)) for pattern in wide]

    def __call__(self, text: str) -> list[int]:
        """The places of the patterns, ascending."""
        data = text.encode("utf-8", "replace")
        if self._any.search(data) is None:
            return []
        return [place for place, automaton in enumerate(self._each) if automaton.search(data) is not None]
