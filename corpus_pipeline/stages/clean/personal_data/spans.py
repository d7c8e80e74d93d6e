"""What a detector finds, and the words around a number that tell a person's number from any other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from corpus_pipeline.lazy_patterns import lazily

_REACH = 48  # characters before a number that are read for the word that names it
_REACH_AFTER = 16


class Span(NamedTuple):
    """A stretch of a text that holds one datum; `kind` is a parameter of the rule."""

    start: int
    end: int
    kind: str


class Source(NamedTuple):
    """A text to scan.

    key: the name under which it lies in its record ("author_phone"), which is read as the words before it;
    strict: the text is no lesson (an unknown key, an id): documented example keys are masked there, too.
    """

    text: str
    key: str = ""
    strict: bool = False

    def before(self, start: int, reach: int = _REACH) -> str:
        """The words before a place, in lower case, the key first; stand-ins of other data are left out."""
        words = self.text[max(0, start - reach) : start]
        if self.key and start < reach:
            words = f"{_SPLIT_KEY.sub(' ', self.key)}: {words}"
        return _STAND_IN.sub(" ", words).lower()

    def after(self, end: int) -> str:
        """The words after a place, in lower case."""
        return self.text[end : end + _REACH_AFTER].lower()


Detector = Callable[[Source], Iterator[Span]]

_LETTER = lazily(r"[^\W\d_]|[§]")
_SPLIT_KEY = lazily(r"[_\-.]+|(?<=[a-z])(?=[A-Z])")
_STAND_IN = lazily(r"\[[A-Z_]{3,16}(?:_\d+)?\]")

# What makes a number part of a calculation, an amount or a longer token, on either side of it.
ARITHMETIC_BEFORE = lazily(
    r"(?:[+*/×÷^<>−]\s?|(?<![A-Za-z\"'])=\s?|[$¥€£#%&]\s?|[\w.,]|\d\s?-\s?|(?<!\w)-)\Z", re.ASCII
)
ARITHMETIC_AFTER = lazily(
    r"[\w%]|[.,:]\w|\s*[=*/^×÷<>+−]\s*[\w(]|-\d|\s?(?:元|円|원|€|%)|\s(?:views|users|people|times|units|points|years|euros?|dollars?|items|records|rows|bytes|votes|followers|km|kg|miles)\b",
    re.ASCII,
)


class Words:
    """Words for and against: the nearest one before a number says what the number is."""

    def __init__(self, plain: str, others: str = "") -> None:
        """plain: alternatives that are whole words; others: alternatives in scripts that do not part words."""
        parts = [rf"(?<![^\W\d_])(?:{plain})(?![^\W\d_])"] if plain else []
        self._pattern = lazily("|".join(filter(None, (*parts, others))))

    def last(self, text: str) -> int:
        """Where the last of them ends in a text; -1 when there is none."""
        end = -1
        if _LETTER.search(text) is None:
            return end
        for match in self._pattern.finditer(text):
            end = match.end()
        return end

    def __contains__(self, text: str) -> bool:
        return self._pattern.search(text) is not None


# Nouns whose numbers are no one's.
OTHER_NUMBERS = Words(
    "orders?|jobs?|invoices?|tickets?|tracking|serial|isbn|issn|ean|upc|gtin|doi|pmid|sections?|sec|clause|chapter|paragraph"
    "|versions?|ver|v|build|release|rows?|lines?|pages?|zip|postcode|ref|references?|transactions?|cases?|products?|sku|models?"
    "|parts?|items?|total|sum|amounts?|price|costs?|population|years?|dates?|codes?|formats?|forms?|pattern|regexp?|regex"
    "|placeholder|hash|timestamps?|epoch|unix|seed|ports?|id|ids|uid|gid|pid|uuid|guid|sequence|fibonacci|primes?|digits|numbers"
    "|batch|lot|barcode|tax rate|budget|revenue|salary|score|coordinates?|lat|lon|latitude|longitude|pi|sum|product|equals"
    "|commit|revision|issue|bug|patent|flight|train|course|room|size|bytes?|width|height|factor|divisor|remainder|result"
    "|bestellung|bestellnummer|rechnung|rechnungsnummer|auftrag|artikel|commande|facture|colis|pedido|factura|ordine|fattura"
    "|encomenda|заказ|заказа|счет|артикул|zamówienie|faktura|sipariş|fatura|pesanan|đơn hàng|bestelling|factuur",
    "订单|訂單|注文番号|单号|編號|编号|序号|流水号|版本|章节|第|条码|批号|总计|合计|金额|邮编|数列|注文|番号順|주문|송장|طلب|ऑर्डर",
)


def names_it(words: Words, source: Source, start: int, end: int, against: Words = OTHER_NUMBERS) -> int:
    """1 when one of `words` names the number, -1 when another noun is nearer, 0 when nothing does."""
    before = source.before(start)
    own, other = words.last(before), against.last(before)
    if own > other:
        return 1
    if source.text[end : end + 1] in ("(", "（", " ") and source.after(end).lstrip()[:1] in ("(", "（"):
        return 1 if source.after(end) in words else (-1 if other >= 0 else 0)
    return -1 if other >= 0 else 0


def is_calculation(source: Source, start: int, end: int) -> bool:
    """Whether a number stands in a calculation, an amount or a longer token."""
    text = source.text
    return (
        ARITHMETIC_BEFORE.search(text[max(0, start - 3) : start]) is not None
        or ARITHMETIC_AFTER.match(text[end : end + 12]) is not None
    )


def in_sequence(source: Source, start: int, end: int) -> bool:
    """Whether a number is one of a list of numbers."""
    return (
        _SEQUENCE_BEFORE.search(source.text[max(0, start - 6) : start]) is not None
        or _SEQUENCE_AFTER.match(source.text[end : end + 6]) is not None
    )


_SEQUENCE_BEFORE = lazily(r"\d\s?[,;|\n]\s{0,3}\Z")
_SEQUENCE_AFTER = lazily(r"\s?[,;|\n]\s{0,3}\d")
