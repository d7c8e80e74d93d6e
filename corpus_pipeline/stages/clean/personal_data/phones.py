"""Phone numbers of all countries: `phonenumbers` says what is valid, the words around it whether it is a phone number.

Four kinds of candidates: international ones (`+`), national ones in a layout that only phone numbers have, any digits
behind a word such as *phone* that are valid in some country, and digits that a word touches (*Fax: 467 3395*, *call me
on*, *... office*): these are somebody's number though no numbering plan has them, for people mistype and invent. The
first two need no word, but give way to one that says otherwise (*order*).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumberType

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import (
    ARITHMETIC_AFTER,
    Source,
    Span,
    Words,
    in_sequence,
    is_calculation,
    names_it,
)

KIND = "phone"

_B = "[ \u00a0]"
_INTERNATIONAL = lazily(
    rf"(?<![\w+])(?:\+|＋)(?:{_B}?\(?\d{{1,4}}\)?)(?:[ \u00a0.()/‐-–-]{{0,2}}\d){{6,12}}(?!\d)|(?<![\w.+])00[1-9](?:[ .-]?\d){{8,13}}(?!\d)",
    re.ASCII,
)
_NATIONAL = lazily(
    r"(?<![\d.+])(?:"
    rf"(?P<US>(?:1[ .-])?\([2-9]\d\d\){_B}?[2-9]\d\d[ .-]\d{{4}}|(?:1-)?[2-9]\d\d-[2-9]\d\d-\d{{4}})"
    rf"|(?P<CN>(?:86[ -]?)?1[3-9]\d(?:-\d{{4}}-|{_B}\d{{4}}{_B})\d{{4}}|0\d{{2,3}}-[2-8]\d{{6,7}}|\(0\d{{2,3}}\){_B}?[2-8]\d{{6,7}})"
    r"|(?P<JP>0[789]0-\d{4}-\d{4})"
    r"|(?P<KR>01[016789]-\d{3,4}-\d{4}|0(?:2|[3-6]\d)-\d{3,4}-\d{4})"
    rf"|(?P<FR>0[1-9](?:{_B}\d\d){{4}}|0[1-9](?:\.\d\d){{4}})"
    rf"|(?P<GB>07\d{{3}}{_B}\d{{6}}|07\d{{3}}{_B}\d{{3}}{_B}\d{{3}}|0\d{{2}}{_B}\d{{4}}{_B}\d{{4}}|0\d{{3}}{_B}\d{{3}}{_B}\d{{4}}|\(0\d{{2,4}}\){_B}\d{{3,4}}{_B}\d{{3,4}})"
    rf"|(?P<BR>\(\d\d\){_B}?9?\d{{4}}-\d{{4}})"
    rf"|(?P<RU>8{_B}?\(\d{{3}}\){_B}?\d{{3}}-\d\d-\d\d|8-\d{{3}}-\d{{3}}-\d\d-\d\d)"
    rf"|(?P<AU>04\d\d{_B}\d{{3}}{_B}\d{{3}}|\(0[2378]\){_B}\d{{4}}{_B}\d{{4}})"
    rf"|(?P<DE>0\d{{2,4}}/\d{{5,9}}|01[567]\d[ /-]\d{{7,8}})"
    rf"|(?P<TR>05\d\d{_B}\d{{3}}{_B}\d\d{_B}\d\d|0{_B}?\(5\d\d\){_B}\d{{3}}{_B}\d\d{_B}\d\d)"
    rf"|(?P<IN>[6-9]\d{{4}}{_B}\d{{5}})"
    r")(?!\d|[.-]\d)",
    re.ASCII,
)
_NAMED = lazily(r"(?<![\w.])\(?\d(?:[ \u00a0.()/‐-–-]{0,2}\d){6,14}(?!\w)", re.ASCII)
_NEEDS_A_WORD = frozenset(("IN", "GB", "AU", "DE"))  # layouts that other numbers have, too: in doubt no

_PHONE_WORDS_LATIN = (
    "phones?|telephones?|tel|mobile|cell|cellphone|cellular|call|fax|faxes|whatsapp|sms|text|dial|dialled"
    "|reach|ring|hotline|landline|contact|contacts|ph|mob|voicemail|signal|viber|wechat|telegram|callback|pager|imessage"
    "|telefon|telefonnummer|rufnummer|handy|handynummer|mobil|mobilnummer|anrufen|ruf|rufen|erreichbar|festnetz|durchwahl"
    "|téléphone|téléphoner|portable|appel|appelez|appeler|joindre|numéro de tél|tél"
    "|teléfono|telefono|móvil|movil|celular|llama|llame|llámame|llámenos|llamar|fono"
    "|cellulare|chiama|chiamate|chiamami|recapito|telefone|telemóvel|ligue|ligar|fone"
    "|телефон|телефона|телефону|тел|звоните|позвоните|позвонить|звонить|моб|мобильный|сотовый|факс"
    "|telefonu|cep|gsm|arayın|arayabilirsiniz|ara|telefonum|telepon|hp|hubungi|nomor|telpon|handphone|wa"
    "|telefoon|telefoonnummer|bel|bellen|mobiel|dzwoń|zadzwoń|komórka|telefonu|numer|kom"
    "|điện thoại|sđt|đt|gọi|số điện|di động|liên hệ|zalo|telefonszám|puhelin|puh|telefonnummer|mobiltelefon|tlf|telefón"
)
_PHONE_WORDS_OTHER = (
    "电话|電話|手机|手機|联系方式|联系电话|座机|致电|拨打|传真|热线|来电|聯絡|致電|携帯|お電話|전화|휴대폰|핸드폰|연락처|팩스"
    "|هاتف|الهاتف|جوال|الجوال|اتصل|موبايل|واتساب|फोन|फ़ोन|मोबाइल|कॉल|दूरभाष|व्हाट्सएप|โทร|טלפון|נייד|τηλ"
)
_PHONE_WORDS = Words(_PHONE_WORDS_LATIN, _PHONE_WORDS_OTHER)
_VERBS = frozenset("call|text|reach|ring|contact|contacts|dial|dialled|text me|me".split("|"))
_PHONE_NOUNS = Words("|".join(word for word in _PHONE_WORDS_LATIN.split("|") if word not in _VERBS), _PHONE_WORDS_OTHER)
_FORM_WORDS = Words("formats?|forms?|pattern|regex|placeholder|e\\.g|like this|such as", "格式|形如|形式|サンプル")
_SCRIPT_REGIONS = (
    (lazily("[\u3040-\u30ff]"), ("JP",)),
    (lazily("[\uac00-\ud7af]"), ("KR",)),
    (lazily("[\u4e00-\u9fff]"), ("CN", "TW", "HK", "JP")),
    (lazily("[\u0400-\u04ff]"), ("RU", "UA", "KZ", "BY", "BG")),
    (lazily("[\u0600-\u06ff]"), ("SA", "EG", "AE", "MA", "JO", "IQ", "DZ", "IR", "PK")),
    (lazily("[\u0900-\u097f]"), ("IN", "NP")),
    (lazily("[\u0e00-\u0e7f]"), ("TH",)),
    (lazily("[\u0370-\u03ff]"), ("GR",)),
    (lazily("[\u0590-\u05ff]"), ("IL",)),
)
# by how many people write them; the first in which a number is valid decides
_REGIONS = (
    "US GB CN IN DE FR ES IT BR MX JP KR RU TR ID VN PL NL AU CA CH AT BE SE NO DK FI PT IE NZ ZA AR CL CO PE UA CZ SK HU RO GR IL"
    " SA AE EG NG KE PK BD PH TH MY SG HK TW"
).split()
# lines that belong to no person
_PUBLIC_LINES = frozenset(
    (PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN)
)


def find(source: Source) -> Iterator[Span]:
    """Every phone number of a text, with its extension."""
    taken: list[tuple[int, int]] = []
    for found in (_international(source), _in_a_layout(source), _named(source), _beside_a_word(source)):
        for span in found:
            if not any(start < span.end and span.start < end for start, end in taken):
                extension = _EXTENSION.match(source.text, span.end)
                taken.append((span.start, span.end))
                yield span._replace(end=extension.end()) if extension else span


def _international(source: Source) -> Iterator[Span]:
    for match in _INTERNATIONAL.finditer(source.text):
        written = match.group()
        start, end = match.span()
        if _is_sum(source, start, end):
            continue
        plus = written.replace("＋", "+")
        if plus.startswith("00"):
            plus = f"+{plus[2:]}"
            if names_it(_PHONE_WORDS, source, start, end) <= 0:
                continue
        length = _valid_length(plus, None)
        if length is None and _is_possible(plus) and names_it(_PHONE_WORDS, source, start, end) >= 0:
            length = len(plus)
        if length is None or _is_round(plus):
            continue
        yield Span(start, end - (len(plus) - length), KIND)


def _is_sum(source: Source, start: int, end: int) -> bool:
    """Whether the sign before a number adds it to another one."""
    before = source.text[max(0, start - 3) : start].rstrip(" ")
    after = source.text[end : end + 3].lstrip(" ")
    if before[-1:] == "=" and before[-2:-1].isalpha():  # an assignment
        return after[:1] in ("+", "*")
    return before[-1:].isdigit() or before[-1:] in ("=", ")", "*", "/") or after[:1] in ("+", "=", "*", "^", "×")


def _in_a_layout(source: Source) -> Iterator[Span]:
    for match in _NATIONAL.finditer(source.text):
        start, end = match.span()
        region = match.lastgroup or "US"
        named = names_it(_PHONE_WORDS, source, start, end)
        if named == 0 and (is_calculation(source, start, end) or in_sequence(source, start, end)):
            continue
        if named < 0 or (named == 0 and region in _NEEDS_A_WORD) or _FORM_WORDS.last(source.before(start, 24)) >= 0:
            continue
        if not _is_round(match.group()) and _is_valid(match.group(), region):
            yield Span(start, end, KIND)


def _named(source: Source) -> Iterator[Span]:
    for match in _NAMED.finditer(source.text):
        start, end = match.span()
        if _is_argument(source.text, start, match.group()) or _SINGLE_DIGITS.match(match.group()):
            continue
        before = source.before(start)
        if before not in _PHONE_WORDS and source.after(end) not in _PHONE_WORDS:
            continue
        if names_it(_PHONE_WORDS, source, start, end) <= 0 or is_calculation(source, start, end):
            continue
        if (
            _FORM_WORDS.last(source.before(start, 24)) >= 0
            or _is_round(match.group())
            or _IS_DATE.fullmatch(match.group())
        ):
            continue
        if sum(map(str.isdigit, match.group())) < _MIN_DIGITS_OF_A_CALL and before not in _PHONE_NOUNS:
            continue  # "text", "reach" and the like have other objects, too
        length = _longest_valid(match.group(), _regions_of(before + source.text[end : end + 24]))
        if length:
            yield Span(start, start + length, KIND)


def _beside_a_word(source: Source) -> Iterator[Span]:
    for match in _PLAUSIBLE.finditer(source.text):
        start, end = match.span()
        written = match.group()
        extension = _EXTENSION.match(source.text, end)
        whole = extension.end() if extension else end
        is_touched = _TOUCHED_BEFORE.search(source.before(start)) or _TOUCHED_AFTER.match(source.after(whole))
        if not is_touched or sum(map(str.isdigit, written)) < _MIN_DIGITS_TOUCHED:
            continue
        if _is_argument(source.text, start, written) or ARITHMETIC_AFTER.match(source.text[whole : whole + 12]):
            continue
        if _SINGLE_DIGITS.match(written) or _IS_DATE.fullmatch(written) or _is_round(written) or _is_fictional(written):
            continue
        if _FORM_WORDS.last(source.before(start, 24)) < 0:
            yield Span(start, end, KIND)


# at most 15 digits, in groups or with a sign that parts them
_PLAUSIBLE = lazily(
    r"(?<![\w.+-])(?:\+ ?)?(?:\d{8,12}|(?:\(\d{1,5}\)|\d{1,5})(?:[ \u00a0./‐-–-]{1,2}\(?\d{2,8}\)?|(?<=\))\d{2,8}){1,4})"
    r"(?:(?=x\d{1,5}(?!\w))|(?![\w%]|[.,:]\d))",
    re.ASCII,
)
_TOUCHED_BEFORE = lazily(
    r"(?<!\w)(?:phone|telephone|tel|mobile|cell|fax|telefon|téléphone|teléfono|telefono|telefone|телефон|факс|desk|office|home|work|direct|handy|portable|móvil|celular)"
    r"(?: (?:phone|number|no|nr|line|is|numbers?|nummer|nr))?\s*[.:#]?\s*\(?\+?\Z"
    r"|(?<!\w)(?:call(?:ed)?|calling|ring|phone|text|reach(?:ed)?|contact|dial|answering|answer|messages?|texts?|sms|whatsapp)(?!\w)[^.\n]{0,24}\s(?:on|at|to|via|under)\s*:?\s*\Z"
    r"|(?<!\w)(?:my registered|(?:you|we|i|they) (?:can|could|may|should|must) (?:call|dial|ring|phone|text)|(?:please|or) (?:call|dial|ring|phone|text)|(?:call|ring|phone|text) (?:me|us|him|her|them))\s*:?\s*\Z"
)
_TOUCHED_AFTER = lazily(r"[ -]\(?(?:office|fax|mobile|cell|home|desk|landline)\b")
_EXTENSION = lazily(r" ?(?:x|ext\.? ?|extension )\d{1,5}(?!\w)")
_MIN_DIGITS_OF_A_CALL = 9
_MIN_DIGITS_TOUCHED = 7
_MIN_DIGITS = 8  # of a national number behind a word
_NORTH_AMERICAN = lazily(r"(?:1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-])\d{3}[.-]\d{4}")
_SINGLE_DIGITS = lazily(r"(?:\d[ .]){4}")
_ROUND_GROUPS = lazily(r"\d*00(?:[ .-]\d*00)+")
_IS_DATE = lazily(
    r"(?:19|20)\d\d([-/. ])\d{1,2}\1\d{1,2}(?: \d{1,2})?|\d{1,2}([-/. ])\d{1,2}\2(?:19|20)\d\d(?: \d{1,2})?|(?:19|20)\d\d\s?[-–]\s?(?:19|20)\d\d"
)


def _is_argument(text: str, start: int, written: str) -> bool:
    """Whether digits are what a function is called with, or begin within brackets."""
    opens = written[0] == "("
    if opens and written.count("(") != written.count(")"):
        return True
    at = start if opens else start - 1
    return at > 0 and text[at] == "(" and text[at - 1].isalnum()


def _longest_valid(written: str, regions: tuple[str, ...]) -> int:
    """How much of digits in groups is a number of one of the regions; 0 when none is."""
    ends = [len(written), *(m.start() for m in reversed(list(re.finditer(r"[ \u00a0/]+", written))))]
    for end in ends:
        part = written[:end].rstrip(" .-/(")
        if sum(map(str.isdigit, part)) < _MIN_DIGITS:
            return 0
        if _NORTH_AMERICAN.fullmatch(part):
            return len(part) if _is_valid(part, "US") else 0  # in this layout no other country's
        if _ROUND_GROUPS.fullmatch(part):
            continue
        if any(_is_valid(part, region) for region in regions):
            return len(part)
    return 0


def _regions_of(words: str) -> tuple[str, ...]:
    own = [region for script, regions in _SCRIPT_REGIONS if script.search(words) for region in regions]
    return tuple(dict.fromkeys((*own, *_REGIONS)))


def _is_valid(written: str, region: str) -> bool:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return False
    if region == "US":  # the numbering plan is that of all North America
        return phonenumbers.is_valid_number(number) and number.country_code == 1 and not _is_public_line(number)
    return phonenumbers.is_valid_number_for_region(number, region) and not _is_public_line(number)


def _valid_length(written: str, region: str | None) -> int | None:
    """How many characters of an international number are valid; trailing groups may belong to what follows."""
    ends = [len(written), *(m.start() for m in reversed(list(re.finditer(r"[ \u00a0/.-]+", written))))]
    for end in ends[:4]:
        try:
            number = phonenumbers.parse(written[:end], region)
        except phonenumbers.NumberParseException:
            return None
        if phonenumbers.is_valid_number(number):
            return None if _is_public_line(number) else end
    return None


_MIN_DIGITS_ABROAD = 10
_FICTIONAL = lazily(r"(?:1?\d{3}55501\d\d|1?5550\d{6}|(?:44|0)?7700900\d{3})")


def _is_possible(written: str) -> bool:
    """Whether an international number has a length that its country has, in groups, and is not kept for fiction."""
    if sum(map(str.isdigit, written)) < _MIN_DIGITS_ABROAD or _is_fictional(written):
        return False
    try:
        number = phonenumbers.parse(written, None)
        return phonenumbers.is_possible_number(number) and not _is_public_line(number)
    except phonenumbers.NumberParseException:
        return False


def _is_fictional(written: str) -> bool:
    return _FICTIONAL.fullmatch("".join(filter(str.isdigit, written))) is not None


def _is_public_line(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in _PUBLIC_LINES


def _is_round(written: str) -> bool:
    """Whether digits are an amount or a placeholder."""
    digits = "".join(filter(str.isdigit, written))
    return digits.endswith("00000") or len(set(digits)) < 3
