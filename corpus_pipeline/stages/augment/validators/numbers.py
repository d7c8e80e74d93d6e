"""Are the numbers of the source still there? As values, so that 1,000 and 1000 and Han ten-thousands agree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.scripts import FENCED_CODE, INLINE_CODE
from corpus_pipeline.stages.augment.validators.words import BadReason

_NUMBER: Final = re.compile(
    r"(?<![A-Za-z_\d.])(?<![A-Za-z]-)(\d{1,40}(?:[.,'\u2019\u00a0\u202f ]\d{3})*(?:[.,]\d{1,40})?)(?!\d)"
    r"(?:\s?(thousand|million|billion|trillion|mille|millions?|millones|mil|Tausend|Millionen|Milliarden|milliards?"
    r"|тыс\w*|млн|миллион\w*|млрд|миллиард\w*|[百千万萬亿億兆만억조]+|[kKmM](?![A-Za-z])))?"
)
_POINT_IS_DECIMAL: Final = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_COMMA_IS_DECIMAL: Final = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?")
_SEPARATORS: Final = re.compile(r"['\u2019\u00a0\u202f ]")
_LIST_MARKER: Final = re.compile(r"^[ \t]*\d{1,3}[.)、．](?=\s|\D)", re.MULTILINE)
_ORDINAL: Final = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)\b", re.IGNORECASE)
_HALF_DAY: Final = re.compile(r"\b\d{1,2}(?::\d{2})?\s?[ap]\.?m\b\.?", re.IGNORECASE)

_HALF: Final = re.compile(r"(?<![\d/.,])1[/⁄]2(?![\d/])")
_HALF_WORDS: Final = re.compile(
    r"\b(?:half|demie?|moitié|halb\w*|hälfte|medi[oa]|mitad|половин\w*|пол)\b|[半반절]", re.IGNORECASE
)

_SCALES: Final[dict[str, int]] = {
    "thousand": 3, "mille": 3, "mil": 3, "tausend": 3, "k": 3,
    "million": 6, "millions": 6, "millones": 6, "millionen": 6, "m": 6, "млн": 6,
    "billion": 9, "milliarden": 9, "milliard": 9, "milliards": 9, "млрд": 9, "trillion": 12,
    "百": 2, "千": 3, "万": 4, "萬": 4, "만": 4, "亿": 8, "億": 8, "억": 8, "兆": 12, "조": 12,
}  # fmt: skip
_STEMS: Final[dict[str, int]] = {"тыс": 3, "миллион": 6, "миллиард": 9}

# small numbers may be spelled out; languages that are not listed here are not held to them
_SPELLED: Final[dict[int, str]] = {
    0: "zero|no|none|零|〇|zéro|null|cero|ноль",
    1: "one|a|an|single|once|一|壹|un|une|ein|eine|einen|einem|einer|uno|una|один|одна|одно|하나|한",
    2: "two|twice|double|pair|couple|half|both|二|两|兩|双|半|deux|zwei|dos|два|две|둘|두",
    3: "three|triple|thrice|third|thirds|三|trois|drei|tres|три|셋|세",
    4: "four|quarter|quarters|quadruple|fourth|四|quatre|vier|cuatro|четыре|넷|네",
    5: "five|fifth|fifths|五|cinq|fünf|cinco|пять|다섯",
    6: "six|sixth|half a dozen|六|sechs|seis|шесть|여섯",
    7: "seven|seventh|week|七|sept|sieben|siete|семь|일곱",
    8: "eight|eighth|八|huit|acht|ocho|восемь|여덟",
    9: "nine|ninth|九|neuf|neun|nueve|девять|아홉",
    10: "ten|tenth|十|dix|zehn|diez|десять|열",
    11: "eleven|十一|onze|elf|once|одиннадцать|열하나",
    12: "twelve|dozen|十二|douze|zwölf|doce|двенадцать|열둘|열두",
}
_SPELLED_PATTERNS: Final = {
    value: re.compile("|".join(word if ord(word[0]) > 0x2E00 else rf"\b{word}\b" for word in words.split("|")), re.I)
    for value, words in _SPELLED.items()
}
_COVERED: Final = re.compile(r"[A-Za-z\u4e00-\u9fff]")


def readings(text: str) -> Iterator[tuple[str, frozenset[Decimal]]]:
    """(as written, possible values) of every number: "1.234" may be one and a bit or a thousand and more."""
    for match in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        written, scale = match.group(1), match.group(2)
        values = set(_values(written))
        if scale:
            values |= {value.scaleb(_exponent(scale.lower())) for value in values}
        yield written, frozenset(values)


def _exponent(scale: str) -> int:
    if scale in _SCALES:
        return _SCALES[scale]
    stem = next((stem for stem in _STEMS if scale.startswith(stem)), None)
    return _STEMS[stem] if stem else sum(_SCALES[char] for char in scale)  # "百万" is a hundred ten-thousands


def _values(written: str) -> Iterator[Decimal]:
    compact = _SEPARATORS.sub("", written)
    if _POINT_IS_DECIMAL.fullmatch(compact):
        yield Decimal(compact.replace(",", ""))
    if _COMMA_IS_DECIMAL.fullmatch(compact):
        yield Decimal(compact.replace(".", "").replace(",", "."))


def missing_numbers(source: str, new: str) -> list[str]:
    """The numbers of `source` that are not in `new`, as written. Code is left to `CodeKept`."""
    there: set[Decimal] = set()
    for text in (new, _judged(new)):  # what stands around a number decides whether it is one
        for _written, values in readings(text):
            there |= values
    words = unicodedata.normalize("NFKC", new)
    judged = _judged(source)
    if _HALF_WORDS.search(words):
        judged = _HALF.sub(" ", unicodedata.normalize("NFKC", judged))
    gone = []
    for written, values in readings(judged):
        if values & there or any(_may_be_spelled(value, words) for value in values):
            continue
        gone.append(written)
    return gone


def _judged(source: str) -> str:
    for pattern in (FENCED_CODE, INLINE_CODE, _LIST_MARKER, _ORDINAL, _HALF_DAY):
        source = pattern.sub(" ", source)
    return source


def _may_be_spelled(value: Decimal, text: str) -> bool:
    if value != value.to_integral_value() or int(value) not in _SPELLED:
        return False
    return _COVERED.search(text) is None or _SPELLED_PATTERNS[int(value)].search(text) is not None


@dataclass(frozen=True)
class NumbersKept(PairValidator):
    """Every number of the source is in the new text, in digits, with another separator, or spelled out when small."""

    name: ClassVar[str] = "numbers_kept"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        gone = missing_numbers(pair.source, pair.new)
        if not gone:
            return None
        return BadAnswer(BadReason.NUMBERS_CHANGED, f"{pair.field} lacks {', '.join(gone[:8])}")
