"""Are the numbers of the source still there, no others, and each in its place? As values, so that 1,000 and 1000 and Han ten-thousands agree."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.augment.validators.base import Pair, PairValidator
from corpus_pipeline.stages.augment.validators.content import stems
from corpus_pipeline.stages.augment.validators.scripts import script_weights, without_fences, without_inline_code
from corpus_pipeline.stages.augment.validators.words import BadReason

_TEXTS: Final = 64  # of which what was found is kept: several questions are put to the same ones
# what may stand before a number is looked at behind its first digit: the search then goes from digit to digit
_NUMBER: Final = lazily(
    r"(\d(?<![A-Za-z_\d.]\d)(?<![A-Za-z]-\d)\d{0,39}(?:[.,'\u2019\u00a0\u202f ]\d{3})*(?:[.,]\d{1,40})?)(?!\d)"
    r"(?:\s?(thousand|million|billion|trillion|mille|millions?|millones|mil|Tausend|Millionen|Milliarden|milliards?"
    r"|тыс\w*|млн|миллион\w*|млрд|миллиард\w*|[百千万萬亿億兆만억조]+|[kKmM](?![A-Za-z])))?"
)
_POINT_IS_DECIMAL: Final = lazily(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_COMMA_IS_DECIMAL: Final = lazily(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?")
_SEPARATORS: Final = lazily(r"['\u2019\u00a0\u202f ]")
_LIST_MARKER: Final = lazily(r"^[ \t]*\d{1,3}[.)、．](?=\s|\D)", re.MULTILINE)
_ORDINAL: Final = lazily(r"\b\d{1,2}(?:st|nd|rd|th)\b", re.IGNORECASE)
_HALF_DAY: Final = lazily(r"\b\d{1,2}(?::\d{2})?\s?[ap]\.?m\b\.?", re.IGNORECASE)

_FULL_HOUR: Final = lazily(r"(?<=\d):00\b")
_WITH_A_WORD: Final = lazily(r"\d(?:st|nd|rd|th|:|\s?[ap]\.?m)", re.IGNORECASE)  # what one of these three needs

_HALF: Final = lazily(r"(?<![\d/.,])1[/⁄]2(?![\d/])")
_HALF_WORDS: Final = lazily(
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
    1: "one|a|an|per|each|every|single|once|一|壹|un|une|ein|eine|einen|einem|einer|uno|una|один|одна|одно|하나|한",
    2: "two|second|twice|double|pair|couple|half|both|二|两|兩|双|半|deux|zwei|dos|два|две|둘|두",
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
    value: lazily("|".join(word if ord(word[0]) > 0x2E00 else rf"\b{word}\b" for word in words.split("|")), re.I)
    for value, words in _SPELLED.items()
}
_DIGIT: Final = lazily(r"\d")
_COVERED: Final = lazily(r"[A-Za-z\u4e00-\u9fff]")


_WIDE_COMMA: Final = lazily("，(?!\\d{3}(?!\\d))")  # between clauses; before three digits it may part thousands


@lru_cache(maxsize=_TEXTS)
def readings(text: str) -> tuple[tuple[str, frozenset[Decimal]], ...]:
    """(as written, possible values) of every number: "1.234" may be one and a bit or a thousand and more."""
    found = []
    for match in _NUMBER.finditer(_normal(text)):
        written, scale = match.group(1), match.group(2)
        values = set(_values(written))
        if scale:
            values |= {value.scaleb(_exponent(scale.lower())) for value in values}
        found.append((written, frozenset(values)))
    return tuple(found)


_BARE_POINT: Final = lazily(r"(?<![\w.])\.(?=\d)")  # .5


_DECADE: Final = lazily(r"(?<!\d)(\d{1,2})\s?世[纪紀]\s?(\d)0\s?年代")  # of a century, in Chinese


def _normal(text: str) -> str:
    if "世" in text:
        text = _DECADE.sub(lambda found: f"{int(found[1]) - 1}{found[2]}0年代", text)
    text = _BARE_POINT.sub("0.", text) if "." in text else text
    return text if text.isascii() else unicodedata.normalize("NFKC", _WIDE_COMMA.sub("， ", text))


@lru_cache(maxsize=_TEXTS)
def _all_readings(text: str) -> frozenset[Decimal]:
    """Every value that a number of a text may have; what stands around a number decides whether it is one."""
    return frozenset(value for seen in {text, _judged(text)} for _, values in readings(seen) for value in values)


@lru_cache(maxsize=_TEXTS)
def _pieces(low: str) -> frozenset[str]:
    """The words of a text, and the parts of those with hyphens: what no pattern for words needs to be tried without."""
    return frozenset(re.findall(r"[^\W\d_]+", low))


def _exponent(scale: str) -> int:
    if scale in _SCALES:
        return _SCALES[scale]
    stem = next((stem for stem in _STEMS if scale.startswith(stem)), None)
    return _STEMS[stem] if stem else sum(_SCALES[char] for char in scale)  # "百万" is a hundred ten-thousands


@lru_cache(maxsize=1024)
def _values(written: str) -> tuple[Decimal, ...]:
    compact = _SEPARATORS.sub("", written)
    found = []
    if _POINT_IS_DECIMAL.fullmatch(compact):
        found.append(Decimal(compact.replace(",", "")))
    if _COMMA_IS_DECIMAL.fullmatch(compact):
        found.append(Decimal(compact.replace(".", "").replace(",", ".")))
    return tuple(found)


def _without_times(text: str, other: str) -> str:
    """A text without the times of day that the other one names, too."""
    both = times_of_day(text) & times_of_day(other) if _DIGIT.search(text) else ()
    if not both:
        return text
    normal = unicodedata.normalize("NFKC", text)
    for pattern in (_CLOCK, _FULL_CLOCK):
        normal = pattern.sub(lambda match: " " if times_of_day(_with_unit(match)) & both else match.group(), normal)
    return normal


def _with_unit(match: re.Match[str]) -> str:
    return match.string[match.start() : match.end() + 8]


def missing_numbers(source: str, new: str) -> list[str]:
    """The numbers of `source` that are not in `new`, as written. Code is left to `CodeKept`."""
    source, new = _without_times(source, new), _without_times(new, source)
    judged = _judged(source)
    if not readings(judged):
        return []
    there = _all_readings(new)
    words = _normal(new)
    if _HALF_WORDS.search(words):
        judged = _HALF.sub(" ", _normal(judged))
    gone = []
    for written, values in readings(judged):
        if values & there or any(_may_be_spelled(value, words) for value in values):
            continue
        if values == {Decimal(1)} and _WIDE_LETTERS.search(source):
            continue
        if (
            values & spelled_numbers(words)
            or _is_converted(values, there | spelled_numbers(words), source + words)
            or _fraction(values, words)
            or _of_century(values, centuries(words))
        ):
            continue
        gone.append(written)
    return gone


@lru_cache(maxsize=_TEXTS)
def _judged(source: str) -> str:
    source = without_inline_code(without_fences(source))
    if _DIGIT.search(source) is not None:
        source = _LIST_MARKER.sub(" ", source)
        if _WITH_A_WORD.search(source) is not None:
            for pattern in (_ORDINAL, _HALF_DAY, _FULL_HOUR):
                source = pattern.sub(" ", source)
    return source


def _may_be_spelled(value: Decimal, text: str) -> bool:
    if value != value.to_integral_value() or int(value) not in _SPELLED:
        return False
    if value == 1 and _WIDE_LETTERS.search(text):
        return True  # one of a thing: 1個, 每1
    return _COVERED.search(text) is None or _SPELLED_PATTERNS[int(value)].search(text) is not None


_CENTURY: Final = lazily(
    r"\b(\d{1,2})(?:st|nd|rd|th|\.|e|er|ème|º|°|-?й|-?го)?[\s-]*(?:century|centuries|jahrhunderts?|siècles?|secolo|século|eeuw|век\w*)\b|"
    r"\b(?:siglo|sec\.|século|siècle)\s+(\d{1,2}|[IVX]{1,5})\b|(\d{1,2})\s?世[纪紀]|\b([IVX]{1,5})(?:e|ème)?\s+(?:siècle|век\w*|secolo)",
    re.IGNORECASE,
)
_ORDINALS: Final = {
    word: 10 + at
    for words in (
        "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
        "zehnte elfte zwölfte dreizehnte vierzehnte fünfzehnte sechzehnte siebzehnte achtzehnte neunzehnte zwanzigste",
        "dixième onzième douzième treizième quatorzième quinzième seizième dix-septième dix-huitième dix-neuvième vingtième",
        "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte",
        "decimo undicesimo dodicesimo tredicesimo quattordicesimo quindicesimo sedicesimo diciassettesimo diciottesimo diciannovesimo ventesimo",
        "dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove vinte",
        "tiende elfde twaalfde dertiende veertiende vijftiende zestiende zeventiende achttiende negentiende twintigste",
        "десят одиннадцат двенадцат тринадцат четырнадцат пятнадцат шестнадцат семнадцат восемнадцат девятнадцат двадцат",
    )
    for at, word in enumerate(words.split())
}
_ORDINAL_WORDS: Final = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_CENTURY_IN_WORDS: Final = lazily(
    rf"\b({_ORDINAL_WORDS})\w{{0,3}}[\s-]+(?:century|centuries|jahrhunderts?|siècles?|secolo|século|eeuw|век\w*)\b|\b(?:siglo|século)\s+({_ORDINAL_WORDS})\b",
    re.IGNORECASE,
)
_HUNDREDS: Final = lazily(r"\b(\d{2})00(?:s|er|['’]s|年代)", re.IGNORECASE)
_ROMAN: Final = {"I": 1, "V": 5, "X": 10}
# what is counted, and by how much of it the next unit is larger
_CONVERSIONS: Final = tuple(
    (lazily(pattern, re.IGNORECASE), tuple(map(Decimal, factors.split())))
    for pattern, factors in (
        (r"\b(?:weeks?|wochen?|semaines?|semanas?)\b|周|星期", "7"),
        (r"\b(?:decades?|jahrzehnte?n?|décennies?|décadas?|decenni[oa]|десятилети\w+)\b", "10"),
        (r"\b(?:dozens?|dutzend|douzaines?|docenas?|years?|jahre?n?|ans?|années?|años?)\b|打|年", "12"),
        (r"\b(?:hours?|stunden?|heures?|horas?|minutes?|minuten|minutos?|seconds?|h|min)\b|小时|分钟", "24 60"),
        (r"%|\bpercent|\bprozent|\bpour ?cent|\bpor ciento|\b(?:cm|cents?|centimet\w+|zentimeter)\b", "100"),
        (
            r"\b(?:km|kg|kilomet\w+|kilogram\w*|kilos?|tons?|tonnen?|tonnes?|lit(?:er|re)s?|ml|mm|grams?|gramm)\b",
            "1000",
        ),
    )
)
_SIMPLE_FRACTIONS: Final = {
    Decimal("0.5"): {Decimal(1), Decimal(2), Decimal(50)},
    Decimal("0.25"): {Decimal(1), Decimal(4), Decimal(25)},
    Decimal("0.75"): {Decimal(3), Decimal(4), Decimal(75)},
}
_FRACTION_WORDS: Final = lazily(
    r"\b(?:half|halves|quarters?|thirds?|twice|double|dozens?|couple|pair|score|hälfte|halb\w*|viertel|drittel|doppelt\w*|dutzend|moitié|demi\w*"
    r"|quart|tiers|(?:drie)?kwart|четверт\w*|double|douzaine|mitad|medi[oa]|cuarto|tercio|doble|docena|metade|meia|meio|dobro|dúzia|metà|mezz[oa]|doppio|dozzina)\b|[半倍双打]",
    re.IGNORECASE,
)


_CENTURY_WORDS: Final = ("centur", "jahrhundert", "cle", "secolo", "culo", "eeuw", "век", "glo", "sec.", "世")


@lru_cache(maxsize=_TEXTS)
def centuries(text: str) -> frozenset[Decimal]:
    """The centuries that a text names, in words or as the years that they began with: `19th century` is `1800s`."""
    found: set[Decimal] = set()
    low = text.casefold()
    if any(word in low for word in _CENTURY_WORDS):
        for groups in _CENTURY.findall(text):
            said = next(group for group in groups if group).upper()
            found.add(Decimal(said) if said.isdecimal() else _roman(said))
        for groups in _CENTURY_IN_WORDS.findall(text):
            found.add(Decimal(_ORDINALS[next(group for group in groups if group).casefold()]))
    if "00" in text:
        found |= {Decimal(int(number) + 1) for number in _HUNDREDS.findall(text)}
    return frozenset(found)


def _roman(said: str) -> Decimal:
    values = [_ROMAN[letter] for letter in said]
    return Decimal(sum(-v if v < max(values[i:], default=0) else v for i, v in enumerate(values)))


def added_numbers(source: str, new: str) -> list[str]:
    """The numbers of `new`, as written, that nothing in `source` stands for: no digits, words, halves, hours, centuries."""
    source, new = _without_times(source, new), _without_times(new, source)
    if not readings(_judged(new)):
        return []
    written_there = _all_readings(source)
    further = []
    for written, values in readings(_judged(new)):
        if values & written_there:
            continue
        known = written_there | spelled_numbers(source)
        if (
            values & known
            or _is_converted(values, known, source + new)
            or _fraction(values, source)
            or _of_century(values, centuries(source))
        ):
            continue
        if any(_may_be_spelled(value, _normal(source)) for value in values):
            continue
        further.append(written)
    return further


def _is_converted(values: frozenset[Decimal], known: frozenset[Decimal], texts: str) -> bool:
    """Whether a number is a known one in another unit that the texts name, or at the other half of the day."""
    factors = [factor for pattern, some in _CONVERSIONS if pattern.search(texts) for factor in some]
    if any(value / factor in known or value * factor in known for value in values for factor in factors):
        return True
    if _is_compound(values, known, texts):
        return True
    hours = {hour for hour, _ in times_of_day(texts)}
    return any(
        (value in _AFTERNOON and value - 12 in known) or (value in _MORNING and value + 12 in known)
        for value in values
        if int(value) % 12 in hours
    )


_COMPOUNDS: Final = tuple(
    (lazily(pattern, re.IGNORECASE), Decimal(factor))
    for pattern, factor in (
        (r"\b(?:hours?|stunden?|heures?|horas?|or[ae]|uur|час\w{0,2}|godzin\w*|h)\b|小时|小時|時間|시간", "60"),
        (r"\b(?:feet|foot|ft|fuß|pieds?|pies?|piedi|pés?|фут\w*)\b|英尺|フィート", "12"),
    )
)
_MOST_COMPOUNDS: Final = 12  # numbers of a text of which two may be one measure


def _is_compound(values: frozenset[Decimal], known: frozenset[Decimal], texts: str) -> bool:
    """Whether a number is two known ones in one unit, as 90 minutes are 1 hour and 30 minutes."""
    if len(known) > _MOST_COMPOUNDS:
        return False
    factors = [factor for pattern, factor in _COMPOUNDS if pattern.search(texts)]
    return any(
        value == factor * one + rest for value in values for factor in factors for one in known for rest in known
    )


_AFTERNOON: Final = frozenset(map(Decimal, range(13, 24)))
_MORNING: Final = frozenset(map(Decimal, range(1, 12)))


def _fraction(values: frozenset[Decimal], source: str) -> bool:
    small = frozenset(map(Decimal, ("0.5", "1", "2", "3", "4", "12", "20", "25", "50", "75")))
    if _HOURS.search(source):
        small |= _PARTS_OF_AN_HOUR
    return bool(values & small) and _FRACTION_WORDS.search(source) is not None


_HOURS: Final = lazily(
    r"\b(?:hours?|stunden?|heures?|horas?|ore|ora|uur|час\w{0,2}|godzin\w*|timm\w+)\b|小时|小時|時間|시간",
    re.IGNORECASE,
)
_PARTS_OF_AN_HOUR: Final = frozenset(map(Decimal, (15, 30, 45, 90)))


def _of_century(values: frozenset[Decimal], ages: frozenset[Decimal]) -> bool:
    return any(value in ages or (value % 100 == 0 and value / 100 + 1 in ages) for value in values)


_ONES: Final[dict[str, int]] = {
    word: value
    for value, words in enumerate(
        (
            "zero null zéro cero zero",
            "one eins un une uno una um uma",
            "two zwei deux dos due dois duas twice",
            "three drei trois tres tre três",
            "four vier quatre cuatro quattro quatro",
            "five fünf cinq cinco cinque",
            "six sechs seis sei",
            "seven sieben sept siete sette sete",
            "eight acht huit ocho otto oito",
            "nine neun neuf nueve nove",
            "ten zehn dix diez dieci dez",
            "eleven elf onze once undici",
            "twelve zwölf douze doce dodici doze dozen dutzend douzaine docena dozzina dúzia",
            "thirteen dreizehn treize trece tredici treze",
            "fourteen vierzehn quatorze catorce quattordici catorze",
            "fifteen fünfzehn quinze quince quindici",
            "sixteen sechzehn seize dieciséis sedici dezasseis dezesseis",
            "seventeen siebzehn dix-sept diecisiete diciassette dezassete dezessete",
            "eighteen achtzehn dix-huit dieciocho diciotto dezoito",
            "nineteen neunzehn dix-neuf diecinueve diciannove dezanove dezenove",
            "twenty zwanzig vingt veinte venti vinte",
        )
    )
    for word in words.split()
}
_TENS: Final[dict[str, int]] = {
    word: 10 * tens
    for tens, words in (
        (2, "twenty zwanzig vingt veinte venti vinte"),
        (3, "thirty dreißig dreissig trente treinta trenta trinta"),
        (4, "forty vierzig quarante cuarenta quaranta quarenta"),
        (5, "fifty fünfzig cinquante cincuenta cinquanta cinquenta"),
        (6, "sixty sechzig soixante sesenta sessanta sessenta"),
        (7, "seventy siebzig soixante-dix setenta settanta"),
        (8, "eighty achtzig quatre-vingts quatre-vingt ochenta ottanta oitenta"),
        (9, "ninety neunzig quatre-vingt-dix noventa novanta"),
    )
    for word in words.split()
}
_GERMAN: Final = lazily(
    r"(ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und(zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig)"
)
_HAN_DIGITS: Final = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"两": 2, "零": 0}
_HAN_NUMBER: Final = lazily("[〇零一二两三四五六七八九十百]+")


@lru_cache(maxsize=_TEXTS)
def spelled_numbers(text: str) -> frozenset[Decimal]:
    """The whole numbers up to some hundreds that a text spells out, in the languages that are known here."""
    low = _normal(text).casefold()
    found: set[Decimal] = set()
    pieces = _pieces(low)
    words = [] if _NUMBER_PIECES.isdisjoint(pieces) else re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", low)
    for at, word in enumerate(words):
        if word in _ONES:
            found.add(Decimal(_ONES[word]))
        if word in _TENS:
            found.add(Decimal(_TENS[word]))
            rest = words[at + 1 : at + 3]
            one = rest[1] if len(rest) == 2 and rest[0] in ("y", "e", "et") else rest[0] if rest else ""
            if one in _ONES and _ONES[one] < 10:
                found.add(Decimal(_TENS[word] + _ONES[one]))
        first, _, second = word.partition("-")
        if first in _TENS and second in _ONES and _ONES[second] < 10:
            found.add(Decimal(_TENS[first] + _ONES[second]))
    if "und" in low:
        found |= {Decimal(_TENS[tens] + (_ONES[one] if one != "ein" else 1)) for one, tens in _GERMAN.findall(low)}
    if not _HUNDRED_WORDS.isdisjoint(pieces) and _HUNDRED.search(low):
        found.add(Decimal(100))
    heads = {piece[:3] for piece in pieces}
    for at, known in enumerate(_MONTH_HEADS):
        if not known.isdisjoint(heads) and _MONTHS[at].search(low):
            found.add(Decimal(1 + at))
    if not low.isascii():
        for tens, ones in _DISCOUNT.findall(low):
            share = 10 * Decimal(_tenths(tens)) + Decimal(_tenths(ones) if ones else 0)
            found |= {share, 100 - share}
        found |= {value for run in _HAN_NUMBER.findall(low) if (value := _han(run)) is not None}
    return frozenset(found)


_NUMBER_PIECES: Final = frozenset(piece for word in (*_ONES, *_TENS) for piece in word.split("-"))
_HUNDRED_WORDS: Final = frozenset("hundred hundert cent cien ciento cento cem".split())
_HUNDRED: Final = lazily(rf"\b(?:{'|'.join(_HUNDRED_WORDS)})\b")


_DISCOUNT: Final = lazily(r"([一二三四五六七八九\d])([一二三四五六七八九\d])?折")
_MONTH_WORDS: Final = (
    "january|januar|janvier|enero|gennaio|janeiro|январ\\w+", "february|februar|février|febrero|febbraio|fevereiro|феврал\\w+",
    "march|märz|mars|marzo|março|март\\w*", "april|avril|abril|aprile|апрел\\w+", "may|mai|mayo|maggio|maio|ма[йея]",
    "june|juni|juin|junio|giugno|junho|июн\\w+", "july|juli|juillet|julio|luglio|julho|июл\\w+", "august|août|agosto|август\\w*",
    "september|septembre|septiembre|settembre|setembro|сентябр\\w+", "october|oktober|octobre|octubre|ottobre|outubro|октябр\\w+",
    "november|novembre|noviembre|novembro|ноябр\\w+", "december|dezember|décembre|diciembre|dicembre|dezembro|декабр\\w+",
)  # fmt: skip
_MONTHS: Final = tuple(lazily(rf"\b(?:{words})\b") for words in _MONTH_WORDS)
_MONTH_HEADS: Final = tuple(
    frozenset(word[:3] for word in words.replace("ма[йея]", "май|мае|мая").split("|")) for words in _MONTH_WORDS
)


def _tenths(digit: str) -> int:
    return int(digit) if digit.isdecimal() else _HAN_DIGITS[digit]


def _han(run: str) -> Decimal | None:
    if not any(char in "十百" for char in run):
        return Decimal(_HAN_DIGITS[run]) if len(run) == 1 else None
    total = digit = 0
    for char in run:
        if char == "百":
            total, digit = total + 100 * (digit or 1), 0
        elif char == "十":
            total, digit = total + 10 * (digit or 1), 0
        else:
            digit = _HAN_DIGITS[char]
    return Decimal(total + digit)


_CLAUSE: Final = lazily(r"[,;.!?:。，；！？：、]|\b(?:and|und|et|y|e|и|en)\b")
_NEAR: Final = 32  # characters around a number that say what it counts


def swapped_numbers(source: str, new: str) -> tuple[str, str] | None:
    """Two numbers that count in `new` what the other one counts in `source`; None when there are none.

    What a number counts are the words around it. Only numbers that both texts have once are looked at.
    """
    if len(readings(_judged(source))) < 2 or len(readings(_judged(new))) < 2:
        return None
    there, here = _contexts(source), _contexts(new)
    common = sorted(there.keys() & here.keys(), key=str)
    for at, one in enumerate(common):
        for other in common[at + 1 :]:
            kept = _alike(there[one], here[one]) + _alike(there[other], here[other])
            crossed = _alike(there[one], here[other]) + _alike(there[other], here[one])
            if crossed >= kept + _CLEARLY:
                return format(one, "f"), format(other, "f")
    return None


_CLEARLY: Final = 0.9
_IN_ORDER: Final = frozenset({"latin", "cyrillic", "greek"})  # scripts of languages that put a sentence in a like order
_ANOTHER_LANGUAGE: Final = 0.7


def swapped_order(source: str, new: str) -> tuple[str, str] | None:
    """Two numbers of a translation that stand in each other's place, while all others stand where they stood."""
    there, here = _ordered(source), _ordered(new)
    if len(there) != len(here) or len(there) < 2 or there == here or set(there) != set(here):
        return None
    differ = [at for at, (one, other) in enumerate(zip(there, here, strict=True)) if one != other]
    if len(differ) != 2 or not _in_like_languages(source, new):
        return None
    one, other = there[differ[0]], there[differ[1]]
    if any(value in _typed(text) for value in (one, other) for text in (source, new)):
        kinds = [(_typed(text).get(one), _typed(text).get(other)) for text in (source, new)]
        if kinds[0] != kinds[1][::-1] or kinds[0] == kinds[1]:
            return None
    return format(there[differ[0]], "f"), format(there[differ[1]], "f")


_KINDS: Final[dict[str, str]] = {
    "money": r"[$€£¥₽]|(?:us-)?dollars?|dólares|dollari|долл\w+|euros?|евро|cents?|centavos?|centimes?|руб\w+|pesos?|yen|yuan",
    "share": r"%|percent|prozent|pour ?cent|por ciento|per cento|por cento|процент\w*",
    "second": r"seconds?|sekunden?|secondes?|segundos?|secondi|секунд\w*",
    "minute": r"minutes?|minuten?|minutos?|minuti|минут\w*",
    "hour": r"hours?|stunden?|heures?|horas?|ore|час\w{0,2}",
    "day": r"days?|tage?n?|jours?|días?|dias?|giorn[oi]|дн\w+|день",
    "week": r"weeks?|wochen?|semaines?|semanas?|settiman[ae]|недел\w+",
    "month": r"months?|monate?n?|mois|meses|mês|mesi?|месяц\w*",
    "year": r"years?|jahre?n?|ans?|années?|años?|anos?|anni|лет|год\w*",
    "part": r"/\d",
}
_KIND_BEHIND: Final = {
    kind: lazily(rf"\s?(?:[^\W\d_]{{2,9}}\s)?(?:{words})(?![^\W\d_])", re.IGNORECASE) for kind, words in _KINDS.items()
}
_MONEY_BEFORE: Final = lazily(r"[$€£¥₽]\s?\Z")


@lru_cache(maxsize=_TEXTS)
def _typed(text: str) -> dict[Decimal, str]:
    """What the numbers of a text count, where they count money, shares or time."""
    normal = _normal(_judged(text))
    found: dict[Decimal, str] = {}
    for match in _NUMBER.finditer(normal):
        before = normal[max(0, match.start() - 2) : match.start()]
        kind = next((kind for kind, words in _KIND_BEHIND.items() if words.match(normal, match.end(1))), None)
        kind = "money" if _MONEY_BEFORE.search(before) else "part" if before.endswith("/") else kind
        if kind is not None:
            found |= dict.fromkeys(_values(match.group(1)), kind)
    return found


@lru_cache(maxsize=_TEXTS)
def _ordered(text: str) -> tuple[Decimal, ...]:
    """The numbers of a text, each once, in order; nothing when one can be read in two ways."""
    found = [values for _, values in readings(_judged(text))]
    return tuple(dict.fromkeys(next(iter(values)) for values in found)) if all(len(v) == 1 for v in found) else ()


def _in_like_languages(source: str, new: str) -> bool:
    main = [script_weights(text).most_common(1) for text in (source, new)]
    if any(not found or found[0][0] not in _IN_ORDER for found in main):
        return False
    (one, sure), (other, sure_too) = (languages.guesses(text[:600])[0] for text in (source, new))
    return one != other and min(sure, sure_too) >= _ANOTHER_LANGUAGE


@lru_cache(maxsize=_TEXTS)
def _contexts(text: str) -> dict[Decimal, dict[str, float]]:
    """The words around each number that occurs once, the nearer the weightier."""
    normal = _normal(_judged(text))
    found: dict[Decimal, list[re.Match[str]]] = {}
    for match in _NUMBER.finditer(normal):
        values = _values(match.group(1))
        if values:
            found.setdefault(values[0], []).append(match)
    return {value: _around(normal, places[0]) for value, places in found.items() if len(places) == 1}


def _around(text: str, match: re.Match[str]) -> dict[str, float]:
    words: dict[str, float] = {}
    _weigh(words, _CLAUSE.split(text[match.end() : match.end() + _NEAR])[0], 1.0)
    before = _CLAUSE.split(text[max(0, match.start() - _NEAR) : match.start()])[-1]
    _weigh(words, " ".join(reversed(before.split())), 0.8)
    return words


def _weigh(words: dict[str, float], text: str, weight: float) -> None:
    for place, word in enumerate(re.findall(r"[^\W\d_]+|[\u4e00-\u9fff]", text)[:4]):
        for stem in stems(word) or ((word,) if _WIDE_WORD.match(word) else ()):
            words[stem] = max(words.get(stem, 0.0), weight * (1.0, 0.8, 0.5, 0.3)[place])


_WIDE_WORD: Final = lazily("[\u4e00-\u9fff](?<![的了着个個是有])")


def _alike(one: dict[str, float], other: dict[str, float]) -> float:
    return sum(min(weight, other[stem]) for stem, weight in one.items() if stem in other)


_UNIT: Final = lazily(
    r"(?P<before>[$€£¥₹])\s?(?P<first>\d[\d.,]*(?: \d{3}(?!\d))*)|(?P<second>\d[\d.,]*(?: \d{3}(?!\d))*)\s?(?P<behind>[$€£¥₹%])"
)


def swapped_units(source: str, new: str) -> tuple[str, str] | None:
    """A sign of money or a percent sign that stands at another number of the text, which both texts have; or the words for
    what is counted, of two numbers one that stands at the other."""
    return _swapped_signs(source, new) or _swapped_words(source, new)


_COUNTS: Final = lazily(r"[\s-]{0,2}(?:(?:de|d['’]|of|di)\s)?([^\W\d_]{2,})")


def _swapped_words(source: str, new: str) -> tuple[str, str] | None:
    if len(readings(_judged(source))) < 2:
        return None
    there, here = _counted_words(source), _counted_words(new)
    if len([word for word in there.values() if word]) < 2 and not _PERCENT.search(_normal(source)):
        return None
    for one in there.keys() & here.keys():
        for other in there.keys() & here.keys():
            if one >= other or there[one] == there[other] or not _tells(there[one], there[other]):
                continue
            if (
                here[other] == there[one] != here[one]
                and there[other] != here[other]
                and here[one] in ("", there[other])
            ):
                return format(one, "f"), format(other, "f")
            if here[one] == there[other] != here[other] and there[one] != here[one] and here[other] in ("", there[one]):
                return format(one, "f"), format(other, "f")
    return None


def _tells(one: str, other: str) -> bool:
    """Whether what two numbers count tells them apart: both are named, or one of them is a share."""
    return bool(one and other) or any(_A_SHARE.match(word) for word in (one, other))


_A_SHARE: Final = lazily(r"perce|proze|pource|cient|cento|proce|проце")


@lru_cache(maxsize=_TEXTS)
def _counted_words(text: str) -> dict[Decimal, str]:
    """The word behind each number that a text has once, as its stem; numbers without one have an empty one."""
    normal = _normal(_judged(text))
    found: dict[Decimal, list[str]] = {}
    for match in _NUMBER.finditer(normal):
        values = _values(match.group(1))
        if values:
            word = _COUNTS.match(normal, match.end())
            found.setdefault(values[0], []).append(next(iter(stems(word[1])), "") if word else "")
    return {value: words[0] for value, words in found.items() if len(words) == 1}


_PERCENT: Final = lazily(
    r"\d\s?(?:percent|per cent|prozent|pour ?cent|por ciento|per cento|por cento|procent|процент)", re.IGNORECASE
)


def _swapped_signs(source: str, new: str) -> tuple[str, str] | None:
    there, here = _by_sign(source), _by_sign(new)
    for sign in there.keys() & here.keys():
        wanted, found = there[sign], here[sign]
        if not wanted & found and found <= _all_readings(source) and wanted <= _all_readings(new):
            return f"{sign}{min(wanted):f}", f"{sign}{min(found):f}"
    return None


@lru_cache(maxsize=_TEXTS)
def _by_sign(text: str) -> dict[str, frozenset[Decimal]]:
    found: dict[str, set[Decimal]] = {}
    for match in _UNIT.finditer(_normal(_judged(text))):
        number = (match["first"] or match["second"]).rstrip(".,")
        found.setdefault(match["before"] or match["behind"], set()).update(_values(number)[:1])
    return {sign: frozenset(values) for sign, values in found.items()}


def other_century(source: str, new: str) -> tuple[str, str] | None:
    """Two centuries, of which the texts name one each; None when they have one in common or one of them names none."""
    there, here = centuries(_normal(source)), centuries(_normal(new))
    if not there or not here or there & here:
        return None
    return f"century {min(there)}", f"century {min(here)}"


# words from three to twenty of languages in which they are hardly ever anything else; None: one that is
_COUNTED: Final[dict[str, tuple[str, ...]]] = {
    "en": tuple("three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()),
    "de": tuple("drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig".split()),
    "fr": tuple("trois quatre cinq six sept huit - dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt".split()),
    "es": tuple("tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte".split()),
    "it": tuple("tre quattro cinque - sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove venti".split()),
    "pt": tuple("três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove vinte".split()),
    "ru": tuple("три|трёх|трех|трём четыре|четырёх|четырех пять|пяти шесть|шести семь|семи восемь|восьми девять|девяти десять|десяти одиннадцать|одиннадцати"
                " двенадцать|двенадцати тринадцать|тринадцати четырнадцать|четырнадцати пятнадцать|пятнадцати шестнадцать|шестнадцати семнадцать|семнадцати"
                " восемнадцать|восемнадцати девятнадцать|девятнадцати двадцать|двадцати".split()),
    "pl": tuple("trzy|trzech cztery|czterech pięć|pięciu sześć|sześciu siedem|siedmiu osiem|ośmiu dziewięć|dziewięciu dziesięć|dziesięciu jedenaście|jedenastu"
                " dwanaście|dwunastu trzynaście|trzynastu czternaście|czternastu piętnaście|piętnastu szesnaście|szesnastu siedemnaście|siedemnastu"
                " osiemnaście|osiemnastu dziewiętnaście|dziewiętnastu dwadzieścia|dwudziestu".split()),
    "nl": tuple("drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien twintig".split()),
}  # fmt: skip
_TENS_OF: Final[dict[str, str]] = {
    "en": "thirty forty fifty sixty seventy eighty ninety",
    "de": "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "trente quarante cinquante soixante",
    "es": "treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "it": "trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "pt": "trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "nl": "dertig veertig vijftig zestig zeventig tachtig negentig",
    "ru": "тридцать|тридцати сорок|сорока пятьдесят|пятидесяти шестьдесят|шестидесяти семьдесят|семидесяти восемьдесят|восьмидесяти девяносто",
    "pl": "trzydzieści|trzydziestu czterdzieści|czterdziestu pięćdziesiąt|pięćdziesięciu sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt",
}


def _words_of_numbers(language: str, words: tuple[str, ...]) -> tuple[dict[str, int], re.Pattern[str]]:
    values = {form: 3 + at for at, forms in enumerate(words) for form in forms.split("|") if form != "-"}
    values |= {
        form: 10 * tens
        for tens, forms in enumerate(_TENS_OF.get(language, "").split(), start=3)
        for form in forms.split("|")
    }
    return values, re.compile(rf"\b(?:{'|'.join(values)})\b(?!-)")


_SPELLED_OUT: Final = {language: _words_of_numbers(language, words) for language, words in _COUNTED.items()}
_COUNTED_PIECES: Final = frozenset(
    piece for values, _ in _SPELLED_OUT.values() for form in values for piece in form.split("-")
)
_PLAIN_LANGUAGE: Final = 0.6


def other_words(source: str, new: str) -> tuple[str, str] | None:
    """A number in words that is missing, and one that came; None unless there are both. Neither stands in the other text as
    digits or in words."""
    there, here = _counted(source), _counted(new)
    if not there or not here:
        return None
    gone = {value: word for value, word in there.items() if Decimal(value) not in _known(new)}
    came = {value: word for value, word in here.items() if Decimal(value) not in _known(source)}
    return (next(iter(gone.values())), next(iter(came.values()))) if gone and came else None


_COUNTED_WIDE: Final = lazily(
    "(?<![一二三四五六七八九十百千万第])([三四五六七八九十][一二三四五六七八九十]{0,2})(?=\\s?(?:分|小时|小時|時間|天|日|个|個|年|次|回|本|只|岁|歳|周|元|円|公斤|克|米|人|杯|片|つ))"
)
_FEWEST_LOST: Final = 2


def lost_words(source: str, new: str) -> str | None:
    """Numbers in words that a text lacks, with no number in their place."""
    gone = [word for value, word in _counted(source).items() if Decimal(value) not in _known(new)]
    if len(gone) < _FEWEST_LOST or not _names_its_numbers(new) or _FRACTION_WORDS.search(new):
        return None
    return ", ".join(gone)


def _names_its_numbers(text: str) -> bool:
    """Whether a text is in a language of which the words for numbers are known here."""
    code, certainty = languages.guesses(text.casefold()[:600])[0]
    return code in _SPELLED_OUT and certainty >= _PLAIN_LANGUAGE


def last_result(text: str) -> frozenset[Decimal] | None:
    """The readings of the last number of a text that ends in the result of its calculation; None for other texts."""
    before, equals, behind = text.rpartition("=")
    found = readings(behind)
    if not equals or not before or len(found) < 2 or found[0][1] != found[-1][1]:
        return None
    return found[-1][1]


def _known(text: str) -> frozenset[Decimal]:
    return _all_readings(text) | spelled_numbers(text) | {Decimal(value) for value in _counted(text)}


@lru_cache(maxsize=_TEXTS)
def _counted(text: str) -> dict[int, str]:
    """The numbers from three to twenty, and the tens, that a text spells out in its own language."""
    low = text.casefold()
    if _WIDE_LETTERS.search(low):
        return {int(value): run for run in _COUNTED_WIDE.findall(low) if (value := _han(run)) is not None and value > 2}
    if _COUNTED_PIECES.isdisjoint(_pieces(low)):
        return {}
    if not any(pattern.search(low) for _, pattern in _SPELLED_OUT.values()):
        return {}
    code, certainty = languages.guesses(low[:600])[0]
    if code not in _SPELLED_OUT or certainty < _PLAIN_LANGUAGE:
        return {}
    values, pattern = _SPELLED_OUT[code]
    return {values[word]: word for word in pattern.findall(low) if word in values}


_CLOCK: Final = lazily(
    r"(?<![\d.,:])(\d{1,2})(?::|\s?h\s?|\s?Uhr\s?|時|时|点|點|시 ?)(\d{2})(?![\d:]|[.,]\d)(?:\s?(分|분))?|(?<![\d.,:])(\d{1,2})[.](\d{2})(?=\s?Uhr)",
    re.IGNORECASE,
)
_FULL_CLOCK: Final = lazily(
    r"(?<![\d.,:])(\d{1,2})(?=\s?(?:Uhr\b|o['’]clock|[ap]\.?\s?m\b|時(?!間)|点(?!数)|點|시(?!간))|\s?h(?![\w]| ?\d)|:00)"
    r"|\b(?:at|um|à|a las?|alle|às|om|w|o godzinie|в)\s(\d{1,2})(?=\s?(?:horas|ore|heures|uur|часов|часа|[.]|\Z))",
    re.IGNORECASE,
)


# what each of them needs: a sign or a word behind a digit, or a word before it where a sentence or a text ends
_MAY_BE_A_TIME: Final = lazily(
    r"\d(?:\s?[:huoap時时点點시ч]|\.\d|(?:(?<=[tmàaeswв]\s\d)|(?<=[tmàaeswв]\s\d\d))(?:\s?\.|\Z))", re.IGNORECASE
)


@lru_cache(maxsize=_TEXTS)
def times_of_day(text: str) -> frozenset[tuple[int, int]]:
    """(hour of a half day, minute) of each time that a text names in digits."""
    normal = unicodedata.normalize("NFKC", text)
    found = set[tuple[int, int]]()
    if _MAY_BE_A_TIME.search(normal) is None:
        return frozenset(found)
    for match in _CLOCK.finditer(normal):
        hour, minute = int(match[1] or match[4]), int(match[2] or match[5])
        if hour <= 24 and minute < 60:
            found.add((hour % 12, minute))
    for match in _FULL_CLOCK.finditer(normal):
        hour = int(match[1] or match[2])
        if hour <= 24 and not _CLOCK.match(normal, match.start()):
            found.add((hour % 12, 0))
    return frozenset(found)


def other_time(source: str, new: str, asked: str = "") -> tuple[str, str] | None:
    """The times of two texts, where both name some that the question does not, and none in common."""
    given = times_of_day(asked)
    there, here = times_of_day(source) - given, times_of_day(new) - given
    if not there or not here or there & here:
        return None
    return tuple(f"{hour}:{minute:02}" for hour, minute in (min(there), min(here)))  # type: ignore[return-value]


def swapped_times(source: str, new: str) -> tuple[str, str] | None:
    """The two times of a text, where the other one comes first in the new text, and it says no more and no less of them."""
    there, here = (
        [match.group() for match in _CLOCK.finditer(unicodedata.normalize("NFKC", text))] for text in (source, new)
    )
    if len(there) != 2 or len(here) != 2:
        return None
    first, second = (sorted(times_of_day(one)) for one in there)
    if first == second or [sorted(times_of_day(one)) for one in here] != [second, first]:
        return None
    return here[0].strip(), here[1].strip()


@dataclass(frozen=True)
class FiguresKept(PairValidator):
    """A short answer does not put another number, century or verdict in the place of the one that its source has.

    An answer in other words may leave numbers out and bring further ones; what is looked for is one for another.
    """

    name: ClassVar[str] = "figures_kept"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        if max(_size(pair.source), _size(pair.new)) > _SHORT_ANSWER:
            return None
        other = (
            other_verdict(pair.source, pair.new)
            or other_century(pair.source, pair.new)
            or other_time(pair.source, pair.new, pair.asked)
            or other_option(pair.source, pair.new, pair.asked)
            or _replaced(pair.source, pair.new, pair.asked)
            or _other_result(pair.source, pair.new, pair.asked)
            or negated(pair.source, pair.new)
        )
        if other is None:
            swapped = swapped_numbers(pair.source, pair.new)
            other = swapped and (f"{swapped[0]} and {swapped[1]} in another order", f"{swapped[1]} and {swapped[0]}")
        if other is None:
            return None
        said = f"{pair.field} says {other[1]} where its source says {other[0]}"
        return BadAnswer(BadReason.ANSWER_CHANGED, said, evidence=(other[1],))


_OPTION_WORD: Final = lazily(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_LISTED: Final = lazily(
    r"\s*(?:[,;/|、，；\n]|\b(?:or|oder|ou|lub|czy|или|and|und|et|y|e|i|и)\b|还是|或者?|または|か、|또는)\s*",
    re.IGNORECASE,
)


def other_option(source: str, new: str, asked: str) -> tuple[str, str] | None:
    """What two texts answer to a question that names its choices, where they take different ones."""
    if len(source.strip()) > _ONE_CHOICE:
        return None
    wanted, got = choice_of(asked, source), choice_of(asked, new)
    if wanted is None or got is None or wanted.at == got.at or wanted.of != got.of:
        return None
    return source.strip()[:60], new.strip()[:60]


class Choice(NamedTuple):
    """Which of the choices of a question an answer takes: its place among them, and how many there are."""

    at: int
    of: int


_CHOICES: Final = lazily(
    r"((?:[^\s,;:.?!，、；：。()（）\"“”„«»「」]+ ?){1,3}(?:(?:, ?|[，、；/|] ?|; )(?:(?:or|oder|ou|lub|czy|или|and|и)\b ?|还是|或者?)?|,? (?:or|oder|ou|lub|czy|или)\s|还是|或者?|または|か、?|또는 )){1,8}"
    r"(?:[^\s,;:.?!，、；：。()（）\"“”„«»「」]+ ?){1,3}",
    re.IGNORECASE,
)


def choice_of(asked: str, answer: str) -> Choice | None:
    """The choice of a question that a short answer names; None when it names none or several, or when there are none."""
    if not answer.strip() or _size(answer) > _SHORT_CHOICE:
        return None
    for parts in _offered(asked):
        named = [at for at, part in enumerate(parts) if _names(part, answer, first=at == 0, last=at == len(parts) - 1)]
        if len(named) == 1 and len(parts) >= 2:
            return Choice(named[0], len(parts))
    return None


@lru_cache(maxsize=_TEXTS)
def _offered(asked: str) -> tuple[tuple[str, ...], ...]:
    """The lists of choices that a question may name."""
    found = []
    for match in _CHOICES.finditer(asked):
        if (
            not _OFFERS.search(match.group())
            and asked[max(0, match.start() - 2) : match.start()].strip()[-1:] not in "(（:："
        ):
            continue
        found.append(tuple(part for part in _LISTED.split(match.group().casefold()) if part.strip()))
    return tuple(found)


_OFFERS: Final = lazily(r"\b(?:or|oder|ou|lub|czy|или)\b|还是|或|または|か、|또는", re.IGNORECASE)
_ONE_CHOICE: Final = 40  # characters of an answer that is a choice and nothing else
_SHORT_CHOICE: Final = 120  # characters of an answer that names one choice, and not much else


def _names(part: str, answer: str, *, first: bool, last: bool) -> bool:
    """Whether an answer has a choice; of the first and the last one, a word that stands beside it may belong to neither."""
    words = _OPTION_WORD.findall(part)
    if not words:
        return False
    if _WIDE_LETTERS.search(part):
        said = re.sub(r"\W", "", answer)
        return bool(said) and (words[0] in said or part in said or ((first or last) and said in part))
    some = {" ".join(words)} | ({words[-1]} if first else set()) | ({words[0]} if last else set())
    return any(_holds(answer, one) for one in some)


def _holds(text: str, words: str) -> bool:
    if _WIDE_LETTERS.search(words):
        return words in text.casefold()
    return (
        re.search(rf"(?<![^\W\d_]){re.escape(words)}(?![^\W\d_])", " ".join(_OPTION_WORD.findall(text.casefold())))
        is not None
    )


_SHORT_ANSWER: Final = 400  # characters; of Chinese and its like each counts three
_YES_FIRST: Final = lazily(
    r"\A\W*(?:yes|true|correct|ja|jawohl|richtig|stimmt|oui|vrai|exact|sí|cierto|verdadero|correcto|sim|verdadeiro|certo|sì|si|vero|tak|prawda|evet|да|верно|правда"
    r"|是的|对的?|没错|正确|はい|네)(?=[\s]*[,.!;:，。、！—–-]|\s*\Z)",
    re.I,
)
_NO_FIRST: Final = lazily(
    r"\A\W*(?:no|false|incorrect|wrong|not true|nein|falsch|non|faux|falso|falsa|incorrecto|incorreto|não|nee|nie|fałsz|hayır|нет|неверно|неправда"
    r"|不是的?|不对|不|否|错误?|いいえ|아니요|아니오)(?=[\s]*[,.!;:，。、！—–-]|\s*\Z)",
    re.I,
)


def first_verdict(text: str) -> bool:
    """Whether a text begins with a yes or a no."""
    return _YES_FIRST.search(text) is not None or _NO_FIRST.search(text) is not None


def other_verdict(source: str, new: str) -> tuple[str, str] | None:
    """The first words of two texts, where one says yes and the other no."""
    yes, no = _YES_FIRST.search(source), _NO_FIRST.search(source)
    against = _NO_FIRST.search(new) if yes else _YES_FIRST.search(new) if no else None
    first = yes or no
    return None if first is None or against is None else (first.group().strip(), against.group().strip())


def _size(text: str) -> int:
    return len(text) + 2 * len(_WIDE_LETTERS.findall(text))


_WIDE_LETTERS: Final = lazily("[\u3040-\u30ff\u3400-\u9fff]")


def _replaced(source: str, new: str, asked: str) -> tuple[str, str] | None:
    """A number of the source that is missing, and another one that neither source nor question has; of a calculation, whose
    steps may be others, only its result."""
    gone = [written for written in missing_numbers(source, new) if not _stands_in(written, asked)]
    came = added_numbers(f"{source}\n{asked}", new)
    if not gone or not came or times_of_day(source) & times_of_day(new):
        return None
    if "=" in source and gone[-1] != readings(_judged(source))[-1][0]:
        return None
    pairs = [
        (one, other)
        for one in gone[-1:]
        for other in came
        if not _is_rounded(one, other) and _is_year(one) is _is_year(other)
    ]
    return pairs[-1] if pairs and len(pairs) == len(came) else None


def _other_result(source: str, new: str, asked: str) -> tuple[str, str] | None:
    """The result of a calculation, and the last number of an answer that has another one and not the result."""
    if "=" not in source:
        return None
    there, here = readings(_judged(source)), readings(_judged(new))
    if not there or not here or there[-1][1] & here[-1][1] or _stands_in(there[-1][0], asked):
        return None
    result, last = there[-1][0], here[-1][0]
    if result not in missing_numbers(source, new) or _is_rounded(result, last) or _stands_in(last, asked):
        return None
    return result, last


_NEGATES: Final = frozenset("not isn't no nicht kein keine pas ne non no não nao niet geen nie не değil".split())
_LINKS: Final = frozenset(
    "it is this that's it's that the a an es ist das ein eine c'est est un une el la un una es è il lo o um uma é это".split()
)
_FEW_SAID: Final = 3  # words of an answer that is a label


def negated(source: str, new: str) -> tuple[str, str] | None:
    """Two short answers of the same words, one of which says that it is not so."""
    if max(len(source), len(new)) > _ONE_CHOICE:
        return None
    there, here = (
        [word for word in re.findall(r"[\w'’]+", text.casefold()) if word not in _LINKS] for text in (source, new)
    )
    said, again = ([word for word in words if word not in _NEGATES] for words in (there, here))
    if not said or len(said) > _FEW_SAID or said != again or (len(there) > len(said)) is (len(here) > len(again)):
        return None
    return source.strip(), new.strip()


def _stands_in(written: str, text: str) -> bool:
    return bool(set(_values(written)) & _all_readings(text))


def _is_rounded(written: str, other: str) -> bool:
    """Whether a number is the rounded form of another one."""
    return any(
        value != small
        and small != 0
        and round(value, -_zeros(small)) == small
        and _zeros(small) > 0
        and abs(value - small) <= _MOST_ROUNDED * abs(value)
        for value in _values(written)
        for small in _values(other)
    ) or any(
        small in (value.quantize(small, rounding=ROUND_HALF_UP), value.quantize(small, rounding=ROUND_DOWN))
        for value in _values(written)
        for small in _values(other)
    )


_YEARS: Final = (1100, 2100)


def _is_year(written: str) -> bool:
    return len(written) == 4 and written.isdecimal() and _YEARS[0] <= int(written) <= _YEARS[1]


_MOST_ROUNDED: Final = Decimal("0.07")


def _zeros(value: Decimal) -> int:
    """How many zeros end a whole number."""
    digits = format(value, "f").partition(".")[0]
    return len(digits) - len(digits.rstrip("0"))


_OPTION_MARK: Final = lazily(r"(?:\A|[\s(（])([A-H])[).）．、:：]")
_FEWEST_OPTIONS: Final = 3


def options_of(text: str) -> frozenset[str]:
    """The letters of the choices that a text lists, from A on; none where it lists no three of them in their order."""
    found = "".join(dict.fromkeys(_OPTION_MARK.findall(text)))
    return frozenset(found) if len(found) >= _FEWEST_OPTIONS and found == "ABCDEFGH"[: len(found)] else frozenset()


@dataclass(frozen=True)
class NumbersKept(PairValidator):
    """The new text has the numbers of its source: none gone, none added, none in another's place.

    Digits with another separator, words for small numbers, halves and dozens, hours of both halves of a day, centuries and
    units are the same number.
    """

    name: ClassVar[str] = "numbers_kept"

    def judge(self, pair: Pair) -> BadAnswer | None:
        """See `PairValidator`."""
        gone, added = missing_numbers(pair.source, pair.new), added_numbers(pair.source, pair.new)
        if gone:
            said = f"{pair.field} lacks {', '.join(gone[:8])}" + (f" and has {', '.join(added[:8])}" if added else "")
            return BadAnswer(BadReason.NUMBERS_CHANGED, said, evidence=tuple(added[:8]))
        if added:
            said = f"{pair.field} has {', '.join(added[:8])}, which its source has not"
            return BadAnswer(BadReason.NUMBERS_CHANGED, said, evidence=tuple(added[:8]))
        other = (
            other_century(pair.source, pair.new)
            or other_words(pair.source, pair.new)
            or other_time(pair.source, pair.new)
        )
        if other is not None:
            said = f"{pair.field} has {other[1]} where its source has {other[0]}"
            return BadAnswer(BadReason.NUMBERS_CHANGED, said, evidence=(other[1],))
        options = options_of(pair.source) - options_of(pair.new)
        if options and options_of(pair.new):
            return BadAnswer(BadReason.NUMBERS_CHANGED, f"{pair.field} lacks the choice {', '.join(sorted(options))}")
        lost = lost_words(pair.source, pair.new)
        if lost is not None:
            return BadAnswer(BadReason.NUMBERS_CHANGED, f"{pair.field} lacks {lost}, which its source says in words")
        swapped = (
            swapped_times(pair.source, pair.new)
            or swapped_numbers(pair.source, pair.new)
            or swapped_units(pair.source, pair.new)
            or swapped_order(pair.source, pair.new)
        )
        if swapped is not None:
            said = f"{pair.field} has {swapped[0]} and {swapped[1]} in each other's place"
            return BadAnswer(BadReason.NUMBERS_CHANGED, said, evidence=swapped)
        return None
