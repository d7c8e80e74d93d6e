"""Payment cards (prefix, length, Luhn) and bank accounts (IBAN: layout of the country and mod 97)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import Source, Span, Words, in_sequence, is_calculation, names_it

CARD, IBAN = "card", "iban"

_CARD = lazily(
    r"(?<!\d)(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|64[4-9]\d|65\d\d|35\d\d|62\d\d|50\d\d|5[6-9]\d\d|6[37]\d\d|220[0-4])"
    r"([ \u00a0-]?)\d{4}\1\d{4}\1(?:\d{4}\1\d{3}|\d{4}|\d)"
    r"|3(?:[47]\d|0[0-5]|[689]\d)\d([ \u00a0-]?)\d{6}\2\d{4,5})(?!\d)",
    re.ASCII,
)
# layouts that say little by themselves: old JCB cards of 15 digits, Maestro cards of 12
_RARE_CARD = lazily(r"(?<!\d)(?:(?:1800|2131)\d{11}|(?:50|5[6-9]|6[037])\d{10})(?!\d)", re.ASCII)
_NUMBER_SIGN = lazily(r"\b(?:cards?|cc|visa|mastercard|amex)(?: (?:no\.?|number))? ?# ?\Z", re.IGNORECASE)
_BEFORE = 24  # characters in which a word and its number sign lie
_CARD_WORDS = Words(
    "cards?|visa|mastercard|amex|american express|discover|maestro|diners|jcb|unionpay|mir|credit|debit|cc|pan|pay|payment|charge|charged"
    "|karte|kreditkarte|kartennummer|carte|tarjeta|carta|cartão|карта|карты|karta|kart|kartu|thẻ|pago|paiement",
    "信用卡|银行卡|銀行卡|卡号|卡號|カード|카드|بطاقة|कार्ड",
)
_IBAN = lazily(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \u00a0-]?[A-Za-z0-9]{4}){2,7}(?:[ \u00a0-]?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)


def find_cards(source: Source) -> Iterator[Span]:
    """Every card number of a text."""
    for match in _CARD.finditer(source.text):
        start, end = match.span()
        if not _is_card(source, match):
            continue
        named = _named(source, start, end)
        parted = end - start != sum(map(str.isdigit, match.group()))
        if named > 0 or (named == 0 and (parted or not in_sequence(source, start, end))):
            yield Span(start, end, CARD)
    for match in _RARE_CARD.finditer(source.text):
        if _is_card(source, match) and _named(source, *match.span()) > 0:
            yield Span(*match.span(), CARD)


def _is_card(source: Source, match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match.group())
    if len(set(digits)) < 2 or not luhn.is_valid(digits):
        return False
    return _has_sign(source, match.start()) or not is_calculation(source, *match.span())


def _named(source: Source, start: int, end: int) -> int:
    """As `names_it`; `card # ...` names a card, where a number sign alone would name an order."""
    return 1 if _has_sign(source, start) else names_it(_CARD_WORDS, source, start, end)


def _has_sign(source: Source, start: int) -> bool:
    return _NUMBER_SIGN.search(source.text[max(0, start - _BEFORE) : start]) is not None


def find_ibans(source: Source) -> Iterator[Span]:
    """Every IBAN of a text; words that stand behind it are not taken along."""
    for match in _IBAN.finditer(source.text):
        text = match.group().rstrip()
        while len(text) >= 15:
            if iban.is_valid(text) and any(map(str.isdigit, text[4:])):
                yield Span(match.start(), match.start() + len(text), IBAN)
                break
            shorter = re.split(r"[ \u00a0-](?=[A-Za-z0-9]*\Z)", text)
            if len(shorter) < 2:
                break
            text = shorter[0]
