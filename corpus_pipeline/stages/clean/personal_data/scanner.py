"""The scanner: which detectors a text needs, what they find, and the text with stand-ins.

Clean text must cost next to nothing. A first look at the bytes (`signs`) says which kinds a text may hold: yes too
often, never no too often; only those detectors run.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

import re2

from corpus_pipeline.stages.clean.personal_data import (
    addresses,
    api_keys,
    emails,
    identity_numbers,
    passwords,
    payments,
    phones,
    wallets,
)
from corpus_pipeline.stages.clean.personal_data.spans import Detector, Source, Span
from corpus_pipeline.stages.clean.personal_data.stand_ins import StandIn

_SECRET, _EMAIL, _NUMBER, _ADDRESS, _TOKEN, _LETTERED, _PASSWORD, _PASSPORT, _ANYTHING = (
    1 << place for place in range(9)
)


class _Family(NamedTuple):
    kind: str
    sign: int
    find: Detector


# in the order of precedence: the longer and surer first
_FAMILIES = (
    _Family("secret", _SECRET, api_keys.find),
    _Family("password", _PASSWORD, passwords.find),
    _Family("email", _EMAIL, emails.find),
    _Family("ip_address", _ADDRESS, addresses.find),
    _Family("wallet", _TOKEN, wallets.find),
    _Family("iban", _NUMBER, payments.find_ibans),
    _Family("card", _NUMBER, payments.find_cards),
    _Family("passport", _PASSPORT, identity_numbers.find_passports),
    _Family("id_number", _NUMBER | _LETTERED, identity_numbers.find_ids),
    _Family("phone", _NUMBER, phones.find),
)
KINDS = tuple(family.kind for family in _FAMILIES)  # those that need no model

_MAX_ROUNDS = 4  # a stand-in may part what hid another datum
_MEMORY = 64 << 20  # bytes that the first look may take for its states, which it forgets and makes again with less
_NOT_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)
_WITHIN_NUMBERS = b" .():-/\xc2\xa0\xe2\x80\x90\x91\x93"
# shapes of bytes: digits, ASCII letters as a; capitals as A; all else a blank
_DIGITS = bytes(48 if 48 <= byte <= 57 else 46 if byte == 46 else 32 for byte in range(256))
_TOKENS = bytes(97 if chr(byte).isalnum() and byte < 128 else 32 for byte in range(256))
_CAPITALS = bytes(48 if 48 <= byte <= 57 else 65 if 65 <= byte <= 90 else 32 for byte in range(256))
_MOST_COLONS = 6  # of a text without an address
_SPELT_AT = (b"[at]", b"(at)", b"[@]", b"(@)", b" AT ")
_MAIL_HINTS = (*_SPELT_AT, b"%40", "＠".encode())
_MIN_TOKEN = b"a" * 25
_MIN_NUMBER = b"0" * 7
_CAPITAL_SHAPES = (
    b"AAAAA0000A",
    b"AAAAAA00A00A000A",
    b"AA000000A",
    b"AAAA000000",
    b"A0000000A",
    b"0000000A",
    b"000000A000",
)
_PASSWORD_HINTS = (
    b"assw", b"ASSW", b"pwd", b"PWD", b"ecret", b"ECRET", b"oken", b"OKEN", b"pi_key", b"PI_KEY", b"pikey", b"piKey", b"PIKEY", b"pi-key",
    b"pi key", b"uthoriz", b"_key", b"_KEY", b"Key", b"redential", b"asscode", b"assphrase", b"sshpass", b"://", b"ennwort", b"ontrase", b"clave", b"mot de passe",
    b"senha", b"Senha", b"achtwoord", b"has\xc5\x82o", b"ifre", b"arola", b"ata sandi",
    *(word.encode() for word in ("密码", "密碼", "口令", "パスワード", "비밀번호", "كلمة", "पासवर्ड", "пароль", "Пароль", "ật khẩu")),
)  # fmt: skip
_PASSPORT_HINTS = tuple(
    word.encode()
    for word in ("asspo", "ASSPO", "eisepass", "assnummer", "asaporte", "assapor", "aspoort", "aszport", "asaport", "aspor", "аспорт",
                 "护照", "護照", "旅券", "パスポート", "여권", "جواز", "पासपोर्ट", "hộ chiếu", "Hộ chiếu")
)  # fmt: skip


def _one_of(hints: Iterable[bytes]) -> re2._Regexp:
    """One automaton for all hints, over bytes."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(b"|".join(map(re2.escape, hints)), options)


_KEY_SIGNS = _one_of(hint.encode() for hint in api_keys.HINTS)
_PASSWORD_SIGNS, _PASSPORT_SIGNS = _one_of(_PASSWORD_HINTS), _one_of(_PASSPORT_HINTS)
_CAPITAL_SIGNS = _one_of(_CAPITAL_SHAPES)


def _first_look() -> re2._Regexp:
    """One automaton for all that the signs look for byte by byte; where it finds nothing, they need not look."""
    options = re2.Options()
    options.encoding, options.never_capture, options.dot_nl = re2.Options.Encoding.LATIN1, True, True
    options.max_mem = _MEMORY
    hints = (
        *(hint.encode() for hint in api_keys.HINTS),
        *_PASSWORD_HINTS,
        *_PASSPORT_HINTS,
        *_MAIL_HINTS,
        b" dot ",
        b"::",
        b"//",
    )
    within = b"[" + re2.escape(_WITHIN_NUMBERS) + b"]*"
    shapes = (
        within.join([b"[0-9]"] * len(_MIN_NUMBER)),
        rb"[0-9]\.[0-9].*[0-9]\.[0-9]",
        b"[0-9A-Za-z]{%d}" % len(_MIN_TOKEN),
        *(b"[ -]*".join({65: b"[A-Z]", 48: b"[0-9]"}[byte] for byte in shape) for shape in _CAPITAL_SHAPES),
    )
    return re2.compile(b"|".join((*map(re2.escape, hints), *shapes)), options)


_FIRST_LOOK = _first_look()


def signs(text: str, data: bytes, marks: bytes) -> int:
    """Which kinds a text may hold, as a sum of signs.

    data: the text in UTF-8; marks: its `@`, digits and maybe more, in order (as in `View`).
    """
    if b"@" not in marks and data.count(b":") <= _MOST_COLONS and _FIRST_LOOK.search(data) is None:
        return 0
    return _signs_one_by_one(text, data, marks)


def _signs_one_by_one(text: str, data: bytes, marks: bytes) -> int:
    found = 0
    if b"@" in marks or b"%40" in data or "＠" in text or _spells_mail(data):
        found |= _EMAIL
    digits = len(marks.translate(None, _NOT_DIGITS))
    if not digits:  # every other kind has one, too
        return found
    if _KEY_SIGNS.search(data) is not None:
        found |= _SECRET
    if _PASSWORD_SIGNS.search(data) is not None:
        found |= _PASSWORD
    if digits >= 4:
        found |= _signs_of_digits(data, digits)
    return found


def _signs_of_digits(data: bytes, digits: int) -> int:
    found = 0
    if digits >= 7 and _MIN_NUMBER in data.translate(_DIGITS_ALONE, _WITHIN_NUMBERS):
        found |= _NUMBER
    if (
        b"::" in data
        or data.count(b":") > _MOST_COLONS
        or b"//0x" in data
        or data.translate(_DIGITS).count(b"0.0") > 1
        or b"//" in data
    ):
        found |= _ADDRESS
    if _PASSPORT_SIGNS.search(data) is not None:
        found |= _PASSPORT
    if _MIN_TOKEN in data.translate(_TOKENS):
        found |= _TOKEN
    capitals = data.translate(_CAPITALS, b" -")
    if _CAPITAL_SIGNS.search(capitals) is not None:
        found |= _LETTERED
    return found


_DIGITS_ALONE = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))


def _spells_mail(data: bytes) -> bool:
    return any(map(data.__contains__, _SPELT_AT)) or (b" dot " in data and b" at " in data)


def signs_of(text: str) -> int:
    """As `signs`, for a text alone."""
    data = text.encode("utf-8", "surrogatepass")
    return signs(text, data, data)


def spans(source: Source, kinds: Collection[str], names: Detector | None = None) -> list[Span]:
    """What a text holds of some kinds, in order; where two overlap the surer one counts. names: what finds names."""
    found = signs_of(source.text)
    if source.key:
        found |= _sign_of_key(source.key)
    taken: list[Span] = []
    for family in _FAMILIES:
        if found & family.sign and family.kind in kinds:
            for span in family.find(source):
                _take(taken, span)
    if names is not None:
        for span in names(source):
            _take(taken, span)
    return taken


@lru_cache(maxsize=4096)
def _sign_of_key(key: str) -> int:
    """The signs that the name of a value gives."""
    named = _PASSWORD if passwords.is_named_by(key) else 0
    return named | (_PASSPORT if identity_numbers.is_passport_key(key) else 0)


def _take(taken: list[Span], span: Span) -> None:
    at = bisect_left(taken, span)
    if (at and taken[at - 1].end > span.start) or (at < len(taken) and taken[at].start < span.end):
        return
    insort(taken, span)


def masked(
    source: Source, kinds: Collection[str], stand_in: StandIn, counts: Counter[str], names: Detector | None = None
) -> str:
    """The text with stand-ins; `counts` grows by what was found of each kind."""
    for _ in range(_MAX_ROUNDS):
        found = spans(source, kinds, names)
        if not found:
            break
        counts.update(span.kind for span in found)
        text = _replaced(source.text, found, stand_in)
        if text == source.text:
            break
        source = source._replace(text=text)
    return source.text


def _replaced(text: str, found: Iterable[Span], stand_in: StandIn) -> str:
    parts: list[str] = []
    position = 0
    for span in found:
        parts += (text[position : span.start], stand_in(span.kind, text[span.start : span.end]))
        position = span.end
    return "".join(parts) + text[position:]
