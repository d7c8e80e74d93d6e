"""Is it language at all? Keys struck at random, words without vowels, shuffled words, signs, function words alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.content import (
    function_words_in,
    is_function_word,
    is_wide_function,
    shared,
    stems,
    words_of,
)
from corpus_pipeline.stages.augment.validators.scripts import FENCED_CODE, prose, script_weights, without_inline_code
from corpus_pipeline.stages.augment.validators.words import BadReason

_WORD: Final = lazily(r"[^\W\d_]+")
_LATIN: Final = lazily(r"[a-zà-ɏ]+")
_VOWEL: Final = lazily(r"[aeiouyà-æè-öø-ýāēěęėīōőūůűıœ]")
_CLUSTER: Final = lazily(r"[bcdfghjklmnpqrstvwxz]{6,}")
_BAD_SPELLED: Final = lazily(r"(.)\1\1|[bcdfghjklmnpqrstvwxz]{6,}|[jqxz][bcdfghjklmnpqrstvwxz]{2}")
_INSIDE: Final = lazily(r"[a-z]{1,}[;,:.!?#$%&*+=<>@^~][a-z;,.#$%&*+=<>@^~]{2,}", re.IGNORECASE)
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_MIN_WORDS: Final = 6
_MIN_CHARACTERS: Final = 12
_FEWEST_INVENTED, _MOST_INVENTED = 8, 60  # words; a longer text has other signs of being noise
_NO_LANGUAGE: Final = 0.5  # certainty of the likeliest language, which a list of plain words exceeds

# neighbours that no sentence has, by language: determiners with what may follow none of them, then prepositions
_PAIRS: Final[dict[str, tuple[tuple[frozenset[str], frozenset[str]], ...]]] = {
    language: tuple((frozenset(first.split()), frozenset(second.split())) for first, second in pairs)
    for language, *pairs in (
        ("en", ("a an the my your their", "a an the of and is are was were or but to with from into in"),
         ("of to with from into", "of and is are was were or but"), ("and", "of and or but")),
        ("de", ("ein eine einen", "der und oder von ist sind aber mit zu"), ("und von mit zu im am", "und oder aber"),
         ("von mit zu im am", "ist sind")),
        ("fr", ("le les un une", "et ou est sont mais du avec dans"), ("du des de avec dans", "et ou est sont mais"), ("du des au aux", "le la les un une du des au aux"),
         ("de à", "le les des du au aux et"), ("les", "la le les un une")),
        ("es", ("el los las un una", "y o es son pero con en"), ("de del con en", "y o es son pero")),
        ("it", ("il lo gli un una", "e o è sono ma con nel di"), ("di del con nel", "e o è sono ma")),
        ("pt", ("os as um uma", "e ou são mas com em"), ("de do da com em", "e ou é são mas")),
        ("nl", ("de een", "en of zijn maar van met op"), ("van met in op", "en of maar")),
    )
}  # fmt: skip
# words that end no sentence
_ENDLESS: Final[dict[str, str]] = {
    "en": "the a an my your their of",
    "de": "eine einen",
    "fr": "un une le les",
    "es": "un el los",
    "it": "il lo gli un",
    "pt": "um uma os",
    "nl": "een",
}
_SHUFFLED_SHARE: Final = 0.08
_FEWEST_WRONG: Final = 2
_WRONG: Final = {
    language: frozenset(
        (
            *product(_ENDLESS[language].split(), ".,;:!?"),
            *(both for first, second in pairs for both in product(first, second)),
        )
    )
    for language, pairs in _PAIRS.items()
}
_WRONG_ANYWHERE: Final = frozenset().union(*_WRONG.values())
_ORDERED: Final = lazily(r"(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:['’][^\W\d_]+)?|\S")


@dataclass(frozen=True)
class NotNoise(PairValidator):
    """The text is made of words, and of sentences where its source is."""

    name: ClassVar[str] = "not_noise"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        if "```" in pair.new or ("~~~" in pair.new and FENCED_CODE.search(pair.new)):
            return None
        why = _noise(pair.new) or _invented(pair) or _shuffled(pair)
        if why is None or _noise(pair.source) is not None:
            return None
        return BadAnswer(BadReason.NOISE, f"{pair.field}: {why[0]}", evidence=(why[1],))


def _noise(text: str) -> tuple[str, str] | None:
    """(what is wrong, where) of a text that is no language."""
    stripped = without_inline_code(text).strip()
    if stripped.count(_REPLACEMENT) >= 2:
        return "characters were lost", _REPLACEMENT
    if len(stripped) < _MIN_CHARACTERS:
        return None
    return _garbled(stripped) or _signs(stripped) or _letters(stripped) or _order(stripped)


_NOT_ASCII: Final = lazily(r"[\u0080-\uffff](?:[\u0080-\uffff\xa0 ]*[\u0080-\uffff])?")
_LATIN_RUN: Final = lazily(r"(?<![A-Za-z])[\u00c0-\u00ff]{4,}(?![A-Za-z])")
_CODINGS: Final = ("cp1252", "latin-1", "cp932")
_LOST: Final = "锟斤拷"  # what a replacement character becomes in GBK
_FEWEST_GARBLED: Final = 2


def _garbled(text: str) -> tuple[str, str] | None:
    """Letters that were read in another coding than they were written in."""
    if text.isascii():
        return None
    if _LOST in text or len(_LATIN_RUN.findall(text)) >= _FEWEST_GARBLED:
        return "characters of another coding", _LOST if _LOST in text else _LATIN_RUN.findall(text)[0]
    found = [run for run in _NOT_ASCII.findall(text) if _is_garbled(run)]
    if len(found) >= _FEWEST_GARBLED or sum(map(len, found)) >= _MIN_CHARACTERS:
        return "characters of another coding", found[0][:80]
    return None


@lru_cache(maxsize=1024)
def _is_garbled(run: str) -> bool:
    """Whether a run of letters is one of fewer letters, once it is read as UTF-8."""
    for coding in _CODINGS:
        data = run.encode(coding, "ignore")
        if len(data) < 2 or len(data.decode(coding, "ignore")) < 0.7 * len(run):
            continue
        meant = data.decode("utf-8", "replace")
        lost = meant.count(_REPLACEMENT)
        letters = sum(char.isalpha() or char in "’“”–—…" for char in meant if char > "\x7f" and char != _REPLACEMENT)
        if letters and lost <= 0.5 * letters and len(meant) - lost < len(run):
            return True
    return False


def _invented(pair: Pair) -> tuple[str, str] | None:
    """Words of no language, one after another: none is a function word, none stands in the source."""
    if not pair.new.rstrip().endswith((".", "!", "?")):
        return None  # a list of words
    words = _WORD.findall(pair.new)
    if not _FEWEST_INVENTED <= len(words) <= _MOST_INVENTED or any(map(is_function_word, words)):
        return None
    small = [word for word in words if word.islower() and _LATIN.fullmatch(word)]
    if len(small) < 0.9 * len(words) or pair.new.count(",") + pair.new.count("\n") > len(words) / 6:
        return None
    if shared(stems(pair.new), stems(f"{pair.source} {pair.asked} {pair.known}")):
        return None
    return ("words of no language", pair.new[:80]) if languages.guesses(pair.new)[0][1] < _NO_LANGUAGE else None


_FEWEST_SHUFFLED, _MOST_SHUFFLED = 7, 80  # words
_FEWEST_SHUFFLED_WIDE: Final = 10  # letters of a script without blanks
_TAKEN: Final = 0.8  # of the words of a text, from its source
_STILL_TOGETHER: Final = 0.12  # of its neighbours, that are neighbours in the source or in the question


def _shuffled(pair: Pair) -> tuple[str, str] | None:
    """The words of the source in another order, of which hardly any two are still together."""
    if pair.new[:1] > "\u3000":
        return _shuffled_wide(pair)
    words = [word.casefold() for word in _WORD.findall(pair.new)]
    if not _FEWEST_SHUFFLED <= len(words) <= _MOST_SHUFFLED or "\n" in pair.new.strip():
        return None
    if not 0.15 * len(words) <= function_words_in(words):
        return None
    there = [[word.casefold() for word in _WORD.findall(text)] for text in (pair.source, pair.known, pair.asked)]
    known = {word for text in there[:2] for word in text}
    if sum(map(known.__contains__, words)) < _TAKEN * len(words):
        return None
    together = {neighbours for text in there for neighbours in pairwise(text)}
    kept = sum(map(together.__contains__, pairwise(words)))
    return ("the words of the source in no order", pair.new[:80]) if kept <= _STILL_TOGETHER * len(words) else None


def _shuffled_wide(pair: Pair) -> tuple[str, str] | None:
    letters = "".join(_HAN_LETTER.findall(pair.new))
    if not _FEWEST_SHUFFLED_WIDE <= len(letters) <= _MOST_SHUFFLED:
        return None
    there = ["".join(_HAN_LETTER.findall(text)) for text in (pair.source, pair.known)]
    if sum(map("".join(there).__contains__, letters)) < 0.9 * len(letters):
        return None
    together = {one + other for text in there for one, other in pairwise(text)}
    kept = sum(one + other in together for one, other in pairwise(letters))
    return (
        ("the letters of the source in no order", pair.new[:80]) if kept <= 2 * _STILL_TOGETHER * len(letters) else None
    )


_HAN_LETTER: Final = lazily("[\u4e00-\u9fff]")


def _signs(text: str) -> tuple[str, str] | None:
    """Mostly signs, where neither formula nor table is."""
    visible = "".join(text.split())
    letters = sum(map(str.isalnum, visible))
    if (
        len(visible) >= 20
        and letters < 0.35 * len(visible)
        and "\\" not in text
        and "|" not in text
        and len(set(visible)) > 6
    ):
        return "signs and no words", text[:80]
    return None


def _letters(text: str) -> tuple[str, str] | None:
    """Words that cannot be pronounced."""
    main = script_weights(text).most_common(1)
    if main and main[0][0] != "latin":
        return _struck(text, main[0][0])
    chunks = prose(text).split()
    bad = [chunk for chunk in chunks if _is_unsayable(chunk)]
    unsayable = sum(map(len, bad))
    if unsayable >= 12 and unsayable > 0.3 * sum(len(chunk) for chunk in chunks if _is_word(chunk)):
        return "letters struck at random", " ".join(bad)[:80]
    return None


_KEYS: Final = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_KEYS_IN_A_ROW: Final = frozenset(
    row[at : at + 3] for keys in _KEYS for row in (keys, keys[::-1]) for at in range(len(keys) - 2)
) - {"про", "рол", "оро", "кен", "мит", "тим"}  # as words have them, too
_CYRILLIC: Final = lazily("[а-яёіїєґў]+")
_NO_RUSSIAN: Final = lazily("\\A[ьы]|[аеёиоуыэюя][ьъ]|[бвгджзклмнпрстфхцчшщ]й|[бвгджзйклмнпрстфхцчшщ]{6,}")
_OTHER_CYRILLIC: Final = lazily("[іїєґўјљњћђџәғқңөұүһѓќ]")  # of languages with other words
_LOOSE_JAMO: Final = lazily("[\u3131-\u3163]{3,}")
_LAUGHS: Final = frozenset("ㅋㅎㅠㅜㅇㄷㄱㅅ")  # as people write them, alone or in a row


def _struck(text: str, script: str) -> tuple[str, str] | None:
    """Keys struck at random on a keyboard of another script: letters that no syllable has, neighbours on the keyboard."""
    if script == "hangul":
        loose = [run for run in _LOOSE_JAMO.findall(text) if len(set(run) - _LAUGHS) >= 2]
        return ("letters struck at random", " ".join(loose)[:80]) if len(loose) >= 2 else None
    if script != "cyrillic" or _OTHER_CYRILLIC.search(text):
        return None
    words = [word for word in _CYRILLIC.findall(text.casefold()) if len(word) >= 3]
    bad = [word for word in words if _is_struck(word)]
    if len(bad) >= 2 and sum(map(len, bad)) > 0.2 * sum(map(len, words)):
        return "letters struck at random", " ".join(bad)[:80]
    return None


@lru_cache(maxsize=8192)
def _is_struck(word: str) -> bool:
    if _NO_RUSSIAN.search(word) is not None:
        return True
    along = sum(word[at : at + 3] in _KEYS_IN_A_ROW for at in range(len(word) - 2))
    return along >= 0.34 * (len(word) - 2) and (along >= 2 or len(word) <= 5)


def _is_word(chunk: str) -> bool:
    return sum(map(str.isalpha, chunk)) >= 3


@lru_cache(maxsize=8192)  # of most texts most words were seen before
def _is_unsayable(chunk: str) -> bool:
    chunk = chunk.strip("*_")
    if not _is_word(chunk):
        return False
    if _INSIDE.search(chunk) and "/" not in chunk and "@" not in chunk and len(chunk) > 10:
        return True
    for word in _WORD.findall(chunk):
        low = _ONE_SOUND.sub(lambda sound: sound.group()[-1], word.casefold())
        if not _LATIN.fullmatch(low) or len(low) < 3 or word.isupper():
            continue
        vowels = len(_VOWEL.findall(low))
        if vowels == 0 and len(low) >= 3 and low not in _SAYABLE:
            return True
        if (len(low) >= 7 and vowels / len(low) < 0.15) or _CLUSTER.search(low) or _BAD_SPELLED.search(low):
            return True
        if len(low) > 30 and "-" not in chunk:
            return True
    return False


_ONE_SOUND: Final = lazily("sch|tsch|ch|ck|tz|ph|th|sh|szcz|cz|sz|rz")  # several letters, as one

# abbreviations and words of languages that do without vowels
_SAYABLE: Final = frozenset("mrs www css html http https tsp tbsp lbs pkt hrs vlk krk prst smrt vrh trg krv brz crn hmm pst psst shh brr grr nth str "
                            "bzw ggf vgl usw mph kmh sms mrs dvd pdf xml ddr btw rhythm".split())  # fmt: skip


_EMPTY_WIDE: Final = 0.75  # of Han characters that stand for no content


def _count(words: list[str], known: frozenset[str]) -> int:
    return sum(map(known.__contains__, words))


def _order(text: str) -> tuple[str, str] | None:
    """Words of a language in no order: neighbours that no sentence has, or no content at all."""
    wide = [] if text.isascii() else [char for char in text if "\u4e00" <= char <= "\u9fff"]
    if len(wide) >= _MIN_CHARACTERS and sum(map(is_wide_function, wide)) >= _EMPTY_WIDE * len(wide):
        return "function words and nothing else", text[:80]
    # a number or a sign stands between words, too: "a total of 38." ends in no preposition, nor is "a.m." an article
    tokens = _ORDERED.findall(text.casefold())
    words = [token for token in tokens if token[0].isalpha()]
    if len(words) < _MIN_WORDS:
        return None
    is_empty = len(words) >= 10 and len(words) - function_words_in(words) < 0.06 * len(words)
    neighbours = list(pairwise(tokens))
    if not is_empty and sum(map(_WRONG_ANYWHERE.__contains__, neighbours)) < _FEWEST_WRONG:
        return None  # the common case, in any language
    language = max(_PAIRS, key=lambda name: _count(words, words_of(name)))
    known = words_of(language)
    if _count(words, known) < 0.1 * len(words):
        return None
    if is_empty:
        return "function words and nothing else", text[:80]
    wrong = [f"{one} {other}" for one, other in neighbours if (one, other) in _WRONG[language]]
    if len(wrong) >= _FEWEST_WRONG and len(wrong) >= _SHUFFLED_SHARE * len(words):
        return "words in no order", wrong[0]
    return None
