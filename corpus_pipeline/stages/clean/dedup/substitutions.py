"""Whether words in place of others say something else.

A thing, person, deed or quality in place of another is another statement, also where no list knows the two as
alternatives: one drug for another, a beach for a lawn. So a word that carries content may stand for another one only as
the same word (another ending or spelling, a typing error) or as one of its synonyms (`synonyms.txt`). Words that tie a
sentence together (`function_words.txt`) and words left out or put in say nothing else by themselves.

A typing error is near to a word that is far more frequent in its language (tables of `wordfreq`); two words near to each
other of which each is in use (nitrate and nitrite) are two. In Chinese it is a character of the same sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from itertools import islice
from math import log10

from rapidfuzz.distance import OSA

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.dedup.canonical import CJK

_TABLES = frozenset(("ar", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "sv"))  # languages of large tables
# by language; a stem that is left with fewer letters than `_STEM` is none
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "en": ("s", "es", "ed", "ing", "ly", "ally", "'s", "ness", "ty", "ity", "ment", "ation", "ion", "ive"),
    "de": ("e", "en", "n", "er", "ern", "es", "em", "s", "st", "t", "te", "ten"),
    "nl": ("e", "en", "n", "s", "t", "te", "ten", "de", "den"),
    "sv": ("en", "et", "er", "ar", "or", "na", "s", "n", "a", "de", "t"),
    "fr": ("s", "e", "es", "x"),
    "es": ("s", "es"),
    "pt": ("s", "es"),
    "ru": tuple("а у е ы и я ю о й ь ов ом ем ам ям ами ями ах ях ой ей ого ему ому ые ие ый ий ая яя ое ее".split()),
    "pl": tuple("a u e y i ą ę o ie em ów om ami ach ego emu ej ych ich ym im".split()),
}
_PARTICLES = ("은", "는", "이", "가", "을", "를", "의", "에", "도", "로", "으로", "와", "과", "에서")
_HANGUL = lazily("[\uac00-\ud7a3]")
_IRREGULAR = ("ies", "y"), ("ied", "y"), ("ily", "y"), ("iness", "y"), ("ives", "ife"), ("eaves", "eaf")
_TOLD_BY = 2000  # words that tell the language of a text
_STEM = 3  # letters at least of the stem of a word
_MIN_TYPO = 4  # letters of a word in which one may be wrong
_LONG_TYPO = 8  # letters of a word in which two may be wrong
_GAP = 1.3  # powers of ten by which a word is more frequent than its typing errors
_RARE = 3.6  # of a thousand million words, as a power of ten: from here on a word is no error
_SPELLINGS = (
    (lazily("ae|oe"), "e"),
    (lazily("our"), "or"),
    (lazily("ys(?=e|ing)"), "yz"),
    (lazily("is(?=e$|es$|ed$|er$|ing$|ation)"), "iz"),
    (lazily("ll(?=ed$|ing$|er$|ers$)"), "l"),
    (lazily("tre(?=s?$)"), "ter"),
    (lazily("ogue(?=s?$)"), "og"),
    (lazily("ence(?=s?$)"), "ense"),
    (lazily("[-']"), ""),
)
_CJK_FUNCTION = frozenset(
    "的地得了着过再和与及而且也都就还又很更最是把被给向对于从到为因以可会能将所其此这那等吧呢吗啊呀嘛一个些位名"
    "只并或但即便则却之者来去时里在有"
    "はがをにでともへのやかねよなだですますたてしるれ"
)
_IS_CJK = lazily(f"[{CJK}]")
_HAN = lazily("[\u3400-\u9fff]")


def says_something_else(one: Sequence[str], other: Sequence[str], before: str, behind: str, language: str) -> bool:
    """Whether the words on one side of an edit, lower-case, state another thing than those on the other side.

    before, behind: the characters next to the edit where words are not parted by blanks, else "". language: of the text,
    by `language_of`. Empty sides state nothing.
    """
    if not one or not other:
        return False
    if _is_cjk(one) and _is_cjk(other):
        return _is_another_character(one, other, before, behind)
    left, right = _content(one, language), _content(other, language)
    if not left or not right or "".join(left) == "".join(right):
        return False
    few, many = sorted((left, right), key=len)
    unmatched = list(many)
    for word in few:
        like = next((known for known in unmatched if is_same_word(word, known, language)), None)
        if like is None:
            return True
        unmatched.remove(like)
    return False


def is_same_word(one: str, other: str, language: str) -> bool:
    """Whether two words are forms, spellings or typing errors of one word, or synonyms."""
    if one == other or _spelled(one) == _spelled(other) or _is_form(one, other, language):
        return True
    if not _groups_of_forms(one, language).isdisjoint(_groups_of_forms(other, language)):
        return True
    return is_typing_error(one, other, language)


def language_of(words: Iterable[str]) -> str:
    """The code of the language whose function words are the most of some words; "" when there are none."""
    languages, sizes = _languages_of(), dict.fromkeys(_function_words(), 0)
    for word in islice(words, _TOLD_BY):
        for code in languages.get(word, ()):
            sizes[code] += 1
    best = max(sizes, key=lambda code: sizes[code])
    return best if sizes[best] else ""


def is_function_word(word: str, language: str) -> bool:
    """Whether a word ties a sentence together and names nothing."""
    return word in _function_words().get(language, frozenset())


def _content(words: Sequence[str], language: str) -> list[str]:
    known = _function_words().get(language, frozenset())
    return [word for word in words if word not in known]


def _groups_of_forms(word: str, language: str) -> frozenset[int]:
    return frozenset().union(*map(_groups, _stems(word, language)))


def _is_form(one: str, other: str, language: str) -> bool:
    """Whether two words are one stem with other endings."""
    return not _stems(one, language).isdisjoint(_stems(other, language))


@lru_cache(maxsize=4096)
def _stems(word: str, language: str) -> frozenset[str]:
    """What may be the stem of a word, with the word itself."""
    found = {word}
    if _HANGUL.search(word):
        return frozenset(found | {word.removesuffix(particle) for particle in _PARTICLES if len(word) > len(particle)})
    for ending in _ENDINGS.get(language, ("s",)):
        stem = word.removesuffix(ending)
        if len(stem) == len(word) or len(stem) < max(_STEM, len(ending)):
            continue
        found.add(stem)
        if language == "en" and ending not in ("s", "es", "'s"):
            found.add(stem + "e")
            if stem[-1] == stem[-2] and len(stem) > _STEM:
                found.add(stem[:-1])
    if language == "en":
        found |= {word.removesuffix(end) + base for end, base in _IRREGULAR if word.endswith(end)}
    return frozenset(found)


def is_typing_error(one: str, other: str, language: str) -> bool:
    """Whether one of two words is no word of the language, and near to the other one."""
    if one == other or max(len(one), len(other)) < _MIN_TYPO:
        return False
    allowed = 2 if min(len(one), len(other)) >= _LONG_TYPO else 1
    if OSA.distance(one, other, score_cutoff=allowed) > allowed:
        return False
    rare, common = sorted((_frequency(one, language), _frequency(other, language)))
    return rare < _RARE and common - rare >= _GAP


def _is_another_character(one: Sequence[str], other: Sequence[str], before: str, behind: str) -> bool:
    left, right = ([word for word in words if word not in _CJK_FUNCTION] for words in (one, other))
    if not left or not right:
        return False
    for begin in {"", before}:
        for end in {"", behind}:
            texts = (f"{begin}{''.join(words)}{end}" for words in (one, other))
            if frozenset.intersection(*map(_groups, texts)):
                return False
    return len(one) != len(other) or not all(map(_sounds_alike, one, other))


def _sounds_alike(one: str, other: str) -> bool:
    if one == other or {one, other} <= _CJK_FUNCTION:
        return True
    return _HAN.match(one) is not None and _HAN.match(other) is not None and _sound(one) == _sound(other)


@lru_cache(maxsize=4096)
def _sound(character: str) -> str:
    from anyascii import anyascii

    return anyascii(character).strip().lower()


def _is_cjk(words: Sequence[str]) -> bool:
    return all(len(word) == 1 and _IS_CJK.match(word) for word in words)


def _spelled(word: str) -> str:
    for pattern, to in _SPELLINGS:
        word = pattern.sub(to, word)
    return word


def _frequency(word: str, language: str) -> float:
    """How often a word stands in a thousand million words of a language, as a power of ten; 0 when it is not known."""
    return log10(max(1.0, _table(language).get(word, 0.0) * 1e9))


@cache
def _table(language: str) -> Mapping[str, float]:
    """The share of each word among the words of a language: some 0.15 s and 40 MB, once per process."""
    import wordfreq

    found: Mapping[str, float] = wordfreq.get_frequency_dict(language, "large") if language in _TABLES else {}
    return found


@cache
def _function_words() -> Mapping[str, frozenset[str]]:
    lines = _lines("function_words.txt")
    return {code: frozenset(words) for code, *words in lines}


@cache
def _languages_of() -> Mapping[str, tuple[str, ...]]:
    """The languages in which a word ties a sentence together."""
    found: dict[str, tuple[str, ...]] = {}
    for code, words in _function_words().items():
        for word in words:
            found[word] = (*found.get(word, ()), code)
    return found


@cache
def _synonyms() -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, words in enumerate(_lines("synonyms.txt")):
        for word in words:
            found.setdefault(word, set()).add(number)
    return {word: frozenset(groups) for word, groups in found.items()}


def _groups(word: str) -> frozenset[int]:
    """The groups of `synonyms.txt` that a word is in."""
    return _synonyms().get(word, frozenset())


def _lines(name: str) -> list[list[str]]:
    text = (resources.files(__package__) / name).read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]
