"""The edits between two long texts, and whether they leave what the text teaches.

Both texts are cut into tokens and aligned; what is not common lies in hunks. An edit is harmless when no hunk touches
what has a meaning of its own: numbers with their units and symbols, code, words that turn a meaning, prefixes of one
stem, quoted names, one name in place of another, a word in place of its opposite or of any other that is not the same
word (`substitutions`), words that change places, a statement in place of another. On the side of the question no hunk
may lie in a short line or in a sentence that asks or instructs; on that of the answer none in a sentence that states a
result. Of an answer the tail may be cut off.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.dedup.canonical import (
    CJK,
    CODE_TOKEN,
    is_code_line,
    is_fence,
    is_plain,
    plain,
    prose_line,
    words_of,
)
from corpus_pipeline.stages.clean.dedup.meaning import (
    differ_in_prefix,
    is_another_surname,
    is_question,
    phrases,
    states_a_result,
    takes_another_pole,
    turns_meaning,
)
from corpus_pipeline.stages.clean.dedup.substitutions import (
    is_function_word,
    is_typing_error,
    language_of,
    says_something_else,
)

CJK_WEIGHT = 0.4  # of a word: a character of a script without blanks
_WINDOW = 768  # tokens that are aligned at once
_ANCHOR = 12  # equal tokens that end a window
_MAX_KEPT = 20_000  # characters of a text whose tokens are kept for the next comparison
_UNIT = 3  # letters at most of a unit behind a number
_HOURS = frozenset(("am", "pm"))  # one of which is a function word, too
_NUMERALS = frozenset("二三四五六七八九十百千万亿两半")
_BEFORE = 16  # characters before a word that say whether a sentence begins with it
_AROUND = 3  # tokens on both sides of an edit in which phrases are looked for
_GAP = 3  # equal tokens that part two edits
_LAST_SENTENCES = 2  # of a last line, in which `so` and `thus` bring the result
_TIES = 3  # words that tie a sentence together, from which a line with a formula is one
_KEYWORDS = frozenset(
    """if else then for in is and or as from with where when while not this that do by on at to into let have all any
    each""".split()
)
_SENTENCE = 5  # words of a line with a formula that is a sentence
_STOPS = frozenset(".,:;!?")
_PROGRAM = frozenset("{};_\\|&@")  # signs of a program that a sentence with a formula has not
_MOVED = 4  # letters from which a word that changes places is no mere article
_IS_CJK = lazily(f"[{CJK}]")
# as `canonical.TOKEN`, without the punctuation that has no meaning
_TOKEN = lazily(
    rf"[{CJK}]|[^\W\d_{CJK}]+(?:'[^\W\d_{CJK}]+)*|\d+(?:[.,:]\d+)*|(?<!\w)-(?=\d)|(?<=\d)[/-](?=\d)"
    r"|[^\w\s.,;:!?\"'()\[\]/…–—。，、；：？！“”‘’「」『』《》〈〉【】（）·•-]|_|\w"
)
_PLAIN_TOKEN = lazily(r"[a-z]+(?:'[a-z]+)*|\d+(?:[.,:]\d+)*", re.IGNORECASE | re.ASCII)  # all that a plain line has
_SENTENCE_END = lazily(r"(?<![.?!…])[.?!…]+[\"'”’)\]]*(?=\s|$)|[。？！]")
_QUOTED = lazily(r"[\"“„«「『《]([^\"“”„«»「」『』《》\n]{1,80})[\"”»」』》]|(?<!\w)['‘]([^'‘’\n]{1,60})['’](?!\w)")


class Bounds(NamedTuple):
    """The named bounds of `recipe.DedupSection`."""

    similarity: float = 0.8  # share of the features that must be common
    long_part: int = 40  # words from which a part may differ at all
    other_words: int = 0  # words that may stand in place of others that mean something else
    statement_words: int = 5  # words on both sides from which an edit puts one statement in place of another
    item_words: int = 4  # words at most of a line that is an item of a list
    quoted_words: int = 8  # words at most of a quoted name


class _Hunk(NamedTuple):
    """Half-open ranges of tokens of both texts that are not common."""

    begin: int
    end: int
    other_begin: int
    other_end: int


class _Text:
    """A text as folded tokens; where a token stands is found when a hunk asks for it."""

    def __init__(self, text: str) -> None:
        self.lines = plain(text).split("\n")
        self.words: list[str] = []
        self.starts: list[int] = []  # the first token of each line
        self.code: set[int] = set()
        self.fenced: set[int] = set()
        self.is_plain = True  # whether every line is, so that its canonical tokens are these words
        self._matches: dict[int, tuple[list[re.Match[str]], Iterator[re.Match[str]]]] = {}
        self._ends: dict[int, list[int]] = {}  # of the sentences of a line
        self._asks: dict[tuple[int, int], bool] = {}  # by line and sentence
        self._results: dict[tuple[int, int], bool] = {}
        self._quoted: dict[tuple[int, int], list[tuple[int, int]]] = {}  # by line and longest name
        self._upper: dict[int, bool] = {}
        self._sentences: dict[int, bool] = {}
        self._weights: dict[int, float] = {}
        fenced = False
        for number, line in enumerate(self.lines):
            self.starts.append(len(self.words))
            if not fenced and is_plain(line):
                self.words += words_of(line.lower(), _TOKEN)
                continue
            self.is_plain = False
            if is_fence(line):
                fenced = not fenced
                self.lines[number] = ""
                continue
            bare = line if fenced else prose_line(line)
            self.lines[number] = bare
            if fenced or is_code_line(bare):
                self.code.add(number)
                if fenced:
                    self.fenced.add(number)
                self.words += CODE_TOKEN.findall(bare)
            else:
                self.words += words_of(bare.lower(), _TOKEN)

    def weight(self, begin: int = 0, end: int | None = None) -> float:
        """The size of a range of tokens in words."""
        return weight_of(self.words[begin:end])

    def line_weight(self, number: int) -> float:
        """The size of a line in words."""
        found = self._weights.get(number)
        if found is None:
            end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.words)
            found = self._weights[number] = self.weight(self.starts[number], end)
        return found

    @cached_property
    def language(self) -> str:
        """The language by function words, "" when it is not known."""
        return language_of(self.words)

    def is_code(self, place: int) -> bool:
        """Whether a token is code: that of a line of code, but for words among words in a sentence with a formula."""
        number = self.line_of(place)
        if number not in self.code:
            return False
        if number in self.fenced:
            return True
        begin, end = self.starts[number], self.starts[number + 1] if number + 1 < len(self.starts) else len(self.words)
        around = self.words[max(begin, place - 1) : min(end, place + 2)]
        if self._is_sentence(number):
            return not (self.words[place].isalpha() and all(word.isalnum() or word in _STOPS for word in around))
        if not all(map(str.isalpha, around)):
            return True
        ties = sum(map(self._ties, self.words[begin:end]))
        return ties < _TIES

    def _is_sentence(self, number: int) -> bool:
        """Whether a line of code is a sentence with a formula: *The pool holds 3*5 = 15 tons of water.*"""
        found = self._sentences.get(number)
        if found is None:
            end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.words)
            words = self.words[self.starts[number] : end]
            first = words[0] if words else ""
            found = self._sentences[number] = (
                first.istitle()
                and not _PROGRAM.intersection(words)
                and sum(len(word) > 1 and word.isalpha() for word in words) >= _SENTENCE
                and sum(map(str.isupper, filter(str.isalpha, words))) <= 1
            )
        return found

    def _ties(self, word: str) -> bool:
        return word not in _KEYWORDS and is_function_word(word, self.language)

    def line_of(self, place: int) -> int:
        """The number of the line of a token."""
        return bisect_right(self.starts, place) - 1

    def match(self, place: int) -> re.Match[str] | None:
        """Where a token stands in its line; None when folding moved the tokens."""
        number = self.line_of(place)
        if number not in self._matches:
            line = self.lines[number]
            pattern = CODE_TOKEN if number in self.code else _PLAIN_TOKEN if is_plain(line) else _TOKEN
            self._matches[number] = [], pattern.finditer(line)
        found, further = self._matches[number]
        at = place - self.starts[number]
        found += islice(further, max(0, at + 1 - len(found)))
        return found[at] if at < len(found) else None

    def asks(self, place: int) -> bool:
        """Whether the sentence of a token, within its line, asks or instructs."""
        return self._said(place, self._asks, lambda sentence, _: is_question(sentence))

    def states_result(self, place: int) -> bool:
        """Whether the sentence of a token states a result."""
        last = self.line_of(place) == len(self.lines) - 1
        return self._said(
            place,
            self._results,
            lambda sentence, behind: states_a_result(sentence, last=last and behind < _LAST_SENTENCES),
        )

    def _said(self, place: int, known: dict[tuple[int, int], bool], sign: Callable[[str, int], bool]) -> bool:
        """What a sign says of the sentence of a token and the number of those behind it; each is looked at once."""
        number, match = self.line_of(place), self.match(place)
        line, ends = self.lines[number], self._ends.get(number)
        if ends is None:
            ends = self._ends[number] = [end.end() for end in _SENTENCE_END.finditer(line)]
        at = bisect_right(ends, match.start()) if match is not None else len(ends)
        found = known.get((number, at))
        if found is None:
            sentence = line[ends[at - 1] if at else 0 : ends[at] if at < len(ends) else len(line)]
            found = known[number, at] = sign(sentence, len(ends) - 1 - at)
        return found

    def is_quoted(self, place: int, bounds: Bounds) -> bool:
        """Whether a token is part of a quoted name."""
        number = self.line_of(place)
        spans = self._quoted.get((number, bounds.quoted_words))
        if spans is None:
            spans = self._quoted[number, bounds.quoted_words] = _quoted_names(self.lines[number], bounds.quoted_words)
        match = self.match(place) if spans else None
        if match is None:
            return False
        at = bisect_right(spans, (match.start(), len(self.lines[number]))) - 1
        return at >= 0 and match.start() < spans[at][1]

    def is_name(self, place: int) -> bool:
        """Whether a word is written as a name: capital within a sentence that has small letters too."""
        line, match = self.lines[self.line_of(place)], self.match(place)
        if match is None or len(match[0]) < 2 or not match[0][0].isupper():
            return False
        before = line[max(0, match.start() - _BEFORE) : match.start()].rstrip(" \"'“‘(*_")
        return before[-1:] not in ("", ".", "!", "?", ":") and not self._is_upper(self.line_of(place))

    def _is_upper(self, number: int) -> bool:
        found = self._upper.get(number)
        if found is None:
            found = self._upper[number] = self.lines[number].isupper()
        return found


def _quoted_names(line: str, longest: int) -> list[tuple[int, int]]:
    """The stretches of a line between quotation marks that are as short as names."""
    if line.isascii() and '"' not in line and "'" not in line:
        return []
    return [found.span() for found in _QUOTED.finditer(line) if len(_TOKEN.findall(found[0])) <= longest]


def _text(text: str) -> _Text:
    """A text of usual length is kept for a while: a row is compared with several."""
    return _kept_text(text) if len(text) <= _MAX_KEPT else _Text(text)


@lru_cache(maxsize=128)
def _kept_text(text: str) -> _Text:
    return _Text(text)


def plainly_differ(one: str, other: str) -> bool:
    """Whether two texts are plain prose with other words, so that their canonical tokens differ, too: quick."""
    left, right = _text(one), _text(other)
    return left.is_plain and right.is_plain and left.words != right.words and min(len(left.words), len(right.words)) > 1


def weight_of(words: Sequence[str]) -> float:
    """The size of some tokens in words."""
    if "".join(words).isascii():
        return len(words)
    return sum(CJK_WEIGHT if len(word) == 1 and _IS_CJK.match(word) else 1 for word in words)


def similarity(one: str, other: str, bounds: Bounds, *, question: bool, distinctive: float = 1.0) -> float:
    """The share of two long texts that is common, 0 when they do not say the same.

    question: the texts are of the side of the question. distinctive: the share of the text that other rows of the file
    do not have, by which the common part is weighed.
    """
    left, right = _text(one), _text(other)
    longest = max(left.weight(), right.weight())
    own = longest * distinctive
    if own < bounds.long_part or not left.words or not right.words:
        return 0.0
    allowed = (1 - bounds.similarity) * own
    changed, others = 0.0, 0
    harmless = list[_Hunk]()
    for hunk in _hunks(left.words, right.words):
        changed += max(left.weight(hunk.begin, hunk.end), right.weight(hunk.other_begin, hunk.other_end))
        if changed > allowed or not _is_harmless(left, right, hunk, question, bounds):
            return 0.0
        others += _other_words(left, right, hunk)
        if others > bounds.other_words:
            return 0.0
        harmless.append(hunk)
    if _states_something_else(left, right, harmless, bounds) or _changes_places(left, right, harmless):
        return 0.0
    return 1 - changed / own


def _hunks(one: Sequence[str], other: Sequence[str]) -> Iterator[_Hunk]:
    """The hunks in order. Long texts are aligned window by window, so that the work follows their length."""
    i = j = 0
    while i < len(one) or j < len(other):
        step = _common(one, other, i, j)
        i, j = i + step, j + step
        window, other_window = one[i : i + _WINDOW], other[j : j + _WINDOW]
        if not window and not other_window:
            return
        if not window or not other_window:
            yield _Hunk(i, len(one), j, len(other))
            return
        last = i + len(window) == len(one) and j + len(other_window) == len(other)
        blocks = [op for op in Levenshtein.opcodes(window, other_window) if op.tag == "equal"]
        anchors = blocks if last else _up_to_anchor(blocks)
        if not last and not anchors:
            yield _Hunk(i, len(one), j, len(other))
            return
        at, other_at = 0, 0
        for block in anchors:
            if block.src_start > at or block.dest_start > other_at:
                yield _Hunk(i + at, i + block.src_start, j + other_at, j + block.dest_start)
            at, other_at = block.src_end, block.dest_end
        if last:
            if at < len(window) or other_at < len(other_window):
                yield _Hunk(i + at, len(one), j + other_at, len(other))
            return
        i, j = i + at, j + other_at


def _up_to_anchor(blocks: Sequence) -> list:
    """The blocks up to the last one that is long enough to go on from."""
    for number in range(len(blocks) - 1, -1, -1):
        if blocks[number].src_end - blocks[number].src_start >= _ANCHOR:
            return list(blocks[: number + 1])
    return []


def _common(one: Sequence[str], other: Sequence[str], i: int, j: int) -> int:
    """How many tokens are equal from here on; equal slices are compared at once."""
    size, length = min(len(one) - i, len(other) - j), 0
    step = 64
    while length < size and one[i + length : i + length + step] == other[j + length : j + length + step]:
        length += min(step, size - length)
        if step < 1 << 16:
            step *= 2
        if length >= size:
            return size
    while length < size and one[i + length] == other[j + length]:
        length += 1
    return length


def _is_harmless(left: _Text, right: _Text, hunk: _Hunk, question: bool, bounds: Bounds) -> bool:
    sides = (left, range(hunk.begin, hunk.end)), (right, range(hunk.other_begin, hunk.other_end))
    if question:
        if any(_is_asked(text, places, bounds) for text, places in sides):
            return False
    elif _is_tail(left, right, hunk):
        return True
    elif any(_is_result(text, places) for text, places in sides):
        return _is_slip(left, right, hunk, bounds)
    if _is_mistyped(left, right, hunk, bounds):
        return True
    meant = [_meant(text, places, bounds) for text, places in sides]
    if meant[0] != meant[1]:
        return False
    names = [[text.words[place] for place in places if text.is_name(place)] for text, places in sides]
    if names[0] and names[1] and names[0] != names[1]:
        return False
    words = [left.words[place] for place in sides[0][1]], [right.words[place] for place in sides[1][1]]
    if takes_another_pole(*words) or is_another_surname(*words):
        return False
    if all(words) and any(_is_item(text, places[0], bounds) for text, places in sides):
        return False
    if _phrases_around(left, hunk.begin, hunk.end) != _phrases_around(right, hunk.other_begin, hunk.other_end):
        return False
    return not any(differ_in_prefix(one, other) for one, other in zip(*words, strict=False))


def _other_words(left: _Text, right: _Text, hunk: _Hunk) -> int:
    """How many words of a hunk stand in place of others that mean something else; 0 for a tail."""
    words = left.words[hunk.begin : hunk.end], right.words[hunk.other_begin : hunk.other_end]
    if not all(words) or _is_tail(left, right, hunk):
        return 0
    return min(map(len, words)) if says_something_else(*words, *_neighbours(left, hunk), left.language) else 0


def _is_mistyped(left: _Text, right: _Text, hunk: _Hunk, bounds: Bounds) -> bool:
    """Whether a hunk has typing errors in place of the right words, outside of code and quoted names."""
    size = hunk.end - hunk.begin
    if size != hunk.other_end - hunk.other_begin:
        return False
    for place, other in zip(range(hunk.begin, hunk.end), range(hunk.other_begin, hunk.other_end), strict=True):
        if not is_typing_error(left.words[place], right.words[other], left.language):
            return False
        for text, at in ((left, place), (right, other)):
            if text.is_code(at) or text.is_quoted(at, bounds):
                return False
    return True


def _is_slip(left: _Text, right: _Text, hunk: _Hunk, bounds: Bounds) -> bool:
    """Whether a hunk is a word written twice, or typing errors in words that are no names: no other result."""
    one, other = left.words[hunk.begin : hunk.end], right.words[hunk.other_begin : hunk.other_end]
    if not one or not other:
        text, begin = (left, hunk.begin) if one else (right, hunk.other_begin)
        again = one or other
        before, behind = text.words[max(0, begin - len(again)) : begin], text.words[begin + len(again) :][: len(again)]
        if again not in (before, behind) or not all(map(str.isalpha, again)) or any(map(turns_meaning, again)):
            return False
        return not any(text.is_code(place) for place in range(begin, begin + len(again)))
    if not _is_mistyped(left, right, hunk, bounds):
        return False
    sides = (left, range(hunk.begin, hunk.end)), (right, range(hunk.other_begin, hunk.other_end))
    return not any(text.is_name(place) for text, places in sides for place in places)


def _neighbours(text: _Text, hunk: _Hunk) -> tuple[str, str]:
    """The characters before and behind a hunk in a script without blanks, "" where there is none."""
    around = (text.words[place] if 0 <= place < len(text.words) else "" for place in (hunk.begin - 1, hunk.end))
    before, behind = (word if len(word) == 1 and _IS_CJK.match(word) else "" for word in around)
    return before, behind


def _is_item(text: _Text, place: int, bounds: Bounds) -> bool:
    """Whether a token stands in an item of a list or in a row of a table."""
    number = text.line_of(place)
    return text.line_weight(number) <= bounds.item_words or text.lines[number].lstrip().startswith("|")


def _phrases_around(text: _Text, begin: int, end: int) -> list[str]:
    around = "".join(text.words[max(0, begin - _AROUND) : end + _AROUND])
    return [] if around.isascii() else phrases(around)


def _states_something_else(left: _Text, right: _Text, hunks: Sequence[_Hunk], bounds: Bounds) -> bool:
    """Whether hunks that stand close together put a statement in place of another, or one item of a list."""
    together: _Hunk | None = None
    for hunk in hunks:
        if together is not None and hunk.begin - together.end < _GAP and hunk.other_begin - together.other_end < _GAP:
            together = _Hunk(together.begin, hunk.end, together.other_begin, hunk.other_end)
        else:
            together = hunk
        if _is_tail(left, right, together):
            return False
        sizes = left.weight(together.begin, together.end), right.weight(together.other_begin, together.other_end)
        if min(sizes) >= bounds.statement_words or (
            min(sizes) > 0 and _is_whole_line(left, together.begin, together.end)
        ):
            return True
    return False


def _is_whole_line(text: _Text, begin: int, end: int) -> bool:
    number = text.line_of(begin)
    next_line = text.starts[number + 1] if number + 1 < len(text.starts) else len(text.words)
    return text.starts[number] == begin and next_line <= end


def _changes_places(left: _Text, right: _Text, hunks: Sequence[_Hunk]) -> bool:
    """Whether a word that goes in one place comes in another: the fox and the crow, only members and members only."""
    gone, come = dict[str, int](), dict[str, int]()
    for number, hunk in enumerate(hunks):
        for words, places in (
            (left.words[hunk.begin : hunk.end], gone),
            (right.words[hunk.other_begin : hunk.other_end], come),
        ):
            for word in words:
                places.setdefault(word, number)
    moved = [word for word in gone.keys() & come.keys() if gone[word] != come[word]]
    exchanged = {(gone[word], come[word]) for word in moved}
    return any(len(word) >= _MOVED for word in moved) or any((to, back) in exchanged for back, to in exchanged)


def _is_tail(left: _Text, right: _Text, hunk: _Hunk) -> bool:
    """Whether one text goes on where the other one ends, in the middle of a word perhaps."""
    if hunk.end != len(left.words) or hunk.other_end != len(right.words):
        return False
    one, other = left.words[hunk.begin :], right.words[hunk.other_begin :]
    short, long = (one, other) if len(one) < len(other) else (other, one)
    return not short or (len(short) == 1 and long[0].startswith(short[0]))


def _is_asked(text: _Text, places: range, bounds: Bounds) -> bool:
    """Whether a hunk touches a short line or a sentence that asks or instructs."""
    return any(text.line_weight(text.line_of(place)) < bounds.long_part or text.asks(place) for place in places)


def _is_result(text: _Text, places: range) -> bool:
    """Whether a hunk touches a sentence that states a result."""
    return any(text.states_result(place) for place in places)


def _meant(text: _Text, places: range, bounds: Bounds) -> list[str]:
    """The tokens of a hunk that have a meaning of their own, in order."""
    found = []
    for place in places:
        word = text.words[place]
        number = any(map(str.isdigit, word))
        before = text.words[place - 1] if place else ""
        unit = 0 < len(word) <= _UNIT and (any(map(str.isdigit, before)) or before in _NUMERALS)
        unit = unit and (word in _HOURS or not is_function_word(word, text.language))
        in_code = text.is_code(place)
        if number or unit or in_code or not word[0].isalnum() or turns_meaning(word) or text.is_quoted(place, bounds):
            found.append(word)
    return found
