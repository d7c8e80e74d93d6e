"""Numbers that states give to persons: national identity, tax and insurance numbers by check digit, and passports.

A number with letters, a telling layout and a check digit speaks for itself; one of digits alone needs a word that
names it. `python-stdnum` knows the rules of each country.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import Source, Span, Words, in_sequence, is_calculation, names_it
from corpus_pipeline.stages.first_look import Which

ID_NUMBER, PASSPORT = "id_number", "passport"

_ID_WORDS = (
    "national id|identity|identification|id card|id no|id number|personal number|citizen|resident|tax id|taxpayer|tin|social security"
    "|insurance number|personal code|personal id|identity card|government id"
)


class _Number(NamedTuple):
    """One kind of identity number. alone: whether layout and check digit suffice without a word; check: stdnum's name."""

    check: str
    pattern: re.Pattern[str]
    words: Words
    alone: bool


def _number(check: str, pattern: str, plain: str = "", others: str = "", *, alone: bool = False) -> _Number:
    names = "|".join(filter(None, (plain, _ID_WORDS)))
    return _Number(
        check, lazily(rf"(?<![A-Za-z0-9.,$€£])(?:{pattern})(?![A-Za-z0-9]|[.,-]\d)"), Words(names, others), alone
    )


_S = "[ \u00a0]"
_NUMBERS = (
    _number(
        "us.ssn",
        rf"\d{{3}}-\d\d-\d{{4}}|\d{{3}}{_S}\d\d{_S}\d{{4}}|\d{{9}}",
        "ssn|ss#|social|soc sec|social security number",
    ),
    _number("us.itin", r"9\d\d-\d\d-\d{4}", "itin"),
    _number(
        "cn.ric",
        rf"[1-9]\d{{5}}{_S}?(?:19|20)\d{{6}}{_S}?\d{{3}}[0-9Xx]|[1-9]\d{{5}}-(?:19|20)\d{{6}}-\d{{3}}[0-9Xx]",
        "",
        "身份证|身份證|证件",
        alone=True,
    ),
    _number("in_.aadhaar", r"[2-9]\d{3}(?P<a>[ \u00a0-]?)\d{4}(?P=a)\d{4}", "aadhaar|aadhar|adhaar|uid|uidai", "आधार"),
    _number(
        "in_.pan", r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", "pan|pan card|permanent account number", "पैन", alone=True
    ),
    _number("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d\d|\d{9}-?\d\d", "cpf|cadastro", alone=True),
    _number("es.dni", r"\d{8}[- ]?[A-Z]|\d{2}\.\d{3}\.\d{3}-?[A-Z]", "dni|nif|documento|identidad", alone=True),
    _number("es.nie", r"[XYZ][- ]?\d{7}[- ]?[A-Z]", "nie|extranjero", alone=True),
    _number(
        "fr.nir",
        rf"[12]{_S}?\d\d{_S}?(?:0[1-9]|1[0-2]|[2-9]\d){_S}?(?:\d\d|2[AB]){_S}?\d{{3}}{_S}?\d{{3}}{_S}?\d\d",
        "nir|sécurité sociale|insee|sécu",
        alone=True,
    ),
    _number("it.codicefiscale", r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", "codice fiscale|cf", alone=True),
    _number(
        "de.idnr",
        rf"[1-9]\d{_S}?\d{{3}}{_S}?\d{{3}}{_S}?\d{{3}}",
        "steuer-id|steueridentifikationsnummer|steuerid|idnr|identifikationsnummer|steuer",
    ),
    _number("nl.bsn", r"\d{9}|\d{4}[. ]\d\d[. ]\d{3}", "bsn|burgerservicenummer|sofinummer|sofi"),
    _number(
        "be.nn",
        r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d|\d{11}",
        "rijksregisternummer|numéro national|registre national|nn",
        alone=True,
    ),
    _number("pl.pesel", r"\d{11}", "pesel"),
    _number("se.personnummer", r"(?:19|20)?\d{6}[-+]\d{4}|(?:19|20)\d{10}", "personnummer|pnr"),
    _number("fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-Y]", "henkilötunnus|hetu", alone=True),
    _number("dk.cpr", r"\d{6}-?\d{4}", "cpr|cpr-nummer|cpr-nr|personnummer"),
    _number("no.fodselsnummer", r"\d{6} ?\d{5}", "fødselsnummer|fnr|personnummer"),
    _number("pt.nif", r"\d{9}|\d{3} \d{3} \d{3}", "nif|contribuinte|nif português"),
    _number("ro.cnp", r"[1-9]\d{12}", "cnp|cod numeric"),
    _number("bg.egn", r"\d{10}", "egn", "егн|ЕГН"),
    _number("cz.rc", r"\d{6}/\d{3,4}", "rodné číslo|rč|rodne cislo", alone=True),
    _number("gr.amka", r"\d{11}", "amka", "αμκα"),
    _number("hr.oib", r"\d{11}", "oib"),
    _number("ee.ik", r"[1-6]\d{10}", "isikukood"),
    _number("lt.asmens", r"[1-6]\d{10}", "asmens kodas"),
    _number("si.emso", r"\d{13}", "emšo|emso"),
    _number(
        "gb.nino",
        rf"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{_S}?\d\d{_S}?\d\d{_S}?\d\d{_S}?[A-D]",
        "nino|ni|national insurance|ni number",
        alone=True,
    ),
    _number("gb.nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", "nhs|nhs number"),
    _number("ch.ssn", r"756\.\d{4}\.\d{4}\.\d\d|756\d{10}", "ahv|avs|ahv-nummer", alone=True),
    _number("at.tin", r"\d{2}-\d{3}/\d{4}", "steuernummer"),
    _number("ie.pps", r"\d{7}[A-W][A-IW]?", "pps|ppsn"),
    _number("tr.tckimlik", r"[1-9]\d{10}", "tc kimlik|kimlik|tckn|t\\.c\\.|tc"),
    _number("ru.inn", r"\d{12}", "инн|inn"),
    _number("ru.snils", r"\d{3}-\d{3}-\d{3}[ -]\d\d", "снилс|snils", alone=True),
    _number("ua.rntrc", r"\d{10}", "рнокпп|іпн|ипн|инн"),
    _number("kr.rrn", r"\d{6}-[1-8]\d{6}", "rrn", "주민등록번호|주민번호|주민", alone=True),
    _number("jp.in_", r"\d{4}[ -]?\d{4}[ -]?\d{4}", "my number", "マイナンバー|個人番号"),
    _number("mx.curp", r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", "curp", alone=True),
    _number("cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]|\d{7,8}-[\dkK]", "rut|run|rol único", alone=False),
    _number("ar.cuit", r"(?:20|23|24|27)-\d{8}-\d", "cuit|cuil", alone=True),
    _number("za.idnr", rf"\d{{6}}{_S}?\d{{4}}{_S}?\d{{3}}", "south african id|sa id"),
    _number("il.idnr", r"\d{9}", "teudat zehut", "תעודת זהות"),
    _number("th.pin", r"\d-\d{4}-\d{5}-\d\d-\d|\d{13}", "thai id", "บัตรประชาชน|เลขประจำตัว"),
    _number("id.nik", r"\d{16}", "nik|ktp|nomor induk"),
    _number("my.nric", r"\d{6}-\d\d-\d{4}", "nric|mykad|ic|kad pengenalan", alone=False),
    _number("au.tfn", r"\d{3}[ ]?\d{3}[ ]?\d{3}", "tfn|tax file"),
    _number("ca.sin", r"\d{3}[ -]\d{3}[ -]\d{3}|\d{9}", "sin|social insurance"),
    _number("nz.ird", r"\d{2,3}-\d{3}-\d{3}|\d{8,9}", "ird"),
    _number("pk.cnic", r"\d{5}-\d{7}-\d", "cnic|nadra", alone=True),
    _number("co.nit", r"\d{8,10}-\d", "nit|cédula|cedula"),
    _number("pe.cui", r"\d{8}-?[0-9A-K]", "dni|cui"),
    _number("ec.ci", r"\d{9}-?\d", "cédula|cedula"),
)
# as above, but with nouns that are themselves names of these numbers ("ID") taken out of the words against
_AGAINST = Words(
    "orders?|jobs?|invoices?|tickets?|tracking|serial|isbn|issn|ean|upc|gtin|sections?|versions?|ver|build|release|rows?|lines?|pages?"
    "|zip|ref|transactions?|cases?|products?|sku|models?|parts?|items?|total|sum|amounts?|price|population|formats?|forms?|pattern|regex"
    "|placeholder|hash|timestamps?|epoch|seed|uuid|guid|fibonacci|batch|barcode|phone|tel|fax|order id|job id|product id|ticket id"
    "|session id|message id|request id|transaction id|device id|video id|post id|build id|user id|uid|process id|trace id|commit|example",
    "订单|单号|编号|序号|流水号|版本|合计|注文|주문",
)

_PASSPORT = lazily(
    r"(?<![A-Za-z0-9])(?=[A-Z]{0,3}\d|[A-Z]\d[A-Z\d]{2}\d)[A-Z0-9]{1,3}[ ]?[A-Z0-9]{5,8}(?![A-Za-z0-9])|(?<!\d)\d\d ?\d\d ?\d{6}(?!\d)"
)
_PASSPORT_WORDS = Words(
    "passports?|passport no|passport number|reisepass|reisepassnummer|passnummer|passeport|pasaporte|passaporto|passaporte|paspoort"
    "|paszport|paszportu|pasaport|paspor|hộ chiếu|паспорт|паспорта|загранпаспорт|pass no",
    "护照|護照|旅券|パスポート|여권|جواز|पासपोर्ट",
)
_PASSPORT_REACH = 32


def find_ids(source: Source) -> Iterator[Span]:
    """Every identity number of a text."""
    for number in map(_NUMBERS.__getitem__, _which()(source.text)):
        is_valid: Callable[[str], bool] | None = None
        for match in number.pattern.finditer(source.text):
            start, end = match.span()
            named = names_it(number.words, source, start, end, _AGAINST)
            if named < 0 or (named == 0 and not number.alone) or is_calculation(source, start, end):
                continue
            if named == 0 and in_sequence(source, start, end):
                continue
            is_valid = is_valid or _check(number.check)
            if len(set(filter(str.isdigit, match.group()))) > 2 and is_valid(_BLANKS.sub("", match.group())):
                yield Span(start, end, ID_NUMBER)


@cache
def _which() -> Which:
    """Which of the numbers a text may hold: one pass instead of one for each."""
    return Which([number.pattern.pattern for number in _NUMBERS])


_BLANKS = lazily("[ \u00a0]+")


def _check(name: str) -> Callable[[str], bool]:
    if name == "ru.snils":
        return _is_snils
    if name == "gb.nino":
        return lambda text: text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
    found: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return found


def _is_snils(text: str) -> bool:
    """The check number of the Russian insurance number."""
    digits = [int(c) for c in text if c.isdigit()]
    total = sum(digit * (9 - place) for place, digit in enumerate(digits[:9])) % 101
    return total % 100 == digits[9] * 10 + digits[10]


def is_passport_key(key: str) -> bool:
    """Whether a value under this key is a passport number."""
    return key.lower().replace("_", " ") in _PASSPORT_WORDS


def find_passports(source: Source) -> Iterator[Span]:
    """Every passport number of a text: what follows the word."""
    if f"{source.key} {source.text}".lower() not in _PASSPORT_WORDS:
        return
    for match in _PASSPORT.finditer(source.text):
        start, end = match.span()
        digits = sum(map(str.isdigit, match.group()))
        before = source.before(start, _PASSPORT_REACH)
        if (
            digits >= (5 if match.group().isdigit() else 4)
            and before in _PASSPORT_WORDS
            and _CLAUSE_END.search(before[_PASSPORT_WORDS.last(before) :]) is None
        ):
            yield Span(start, end, PASSPORT)


# the point of "no." ends nothing
_CLAUSE_END = lazily(r"(?<!\bno)(?<!\bnr)(?<!\bnum)[.!?;。！？；]\s|\n", re.IGNORECASE)
