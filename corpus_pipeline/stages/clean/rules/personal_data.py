"""Personal data and secrets: e-mail addresses, phone, card and identity numbers, internet addresses, keys.

Precision goes before recall: a pattern must carry its own proof (a checksum, a prefix, a layout), so that sums, dates,
ISBNs, versions and file names are not taken for a person's number.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from corpus_pipeline.model import Change, Turn
from corpus_pipeline.stages.clean.rules.base import Outcome, TextRule, View
from corpus_pipeline.stages.clean.rules.values import in_value

Choice = Literal["mask", "drop", "keep"]

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-/=@])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}+@((?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24})"
    r"(?![A-Za-z0-9@-]|\.[A-Za-z0-9])"
)
# RFC 2606 and RFC 6761: nobody lives there; nor in the domains that people write when they mean "yours".
_NOBODY = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local)$|^(?:your|my|some)?(?:domain|company|email|mail|site|website)\.(?:com|org|net)$",
    re.IGNORECASE,
)

_BEFORE_NUMBER = r"(?<![=+*/×÷^<>-]\s)(?<![\w.,=*/^$¥€£%<>#&\-+])"
_AFTER_NUMBER = r"(?![\w%]|[.,:][\w]|\s*[=*/^×÷<>+]|-\d)"
_PHONE = re.compile(
    _BEFORE_NUMBER + r"(?:"
    r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}"  # international
    r"|(?:1[ -])?\(\d{3}\) ?\d{3}-\d{4}|(?:1-)?\d{3}-\d{3}-\d{4}"  # North America
    r"|(?:\+?86[ -]?)?1[3-9]\d(?:(?:-\d{4}-|\x20\d{4}\x20)\d{4}|\d{8})"  # mobile, China
    r"|0\d{2,3}-[2-8]\d{6,7}"  # land line, China
    r"|0[789]0-\d{4}-\d{4}|01[016789]-\d{3,4}-\d{4}"  # mobile, Japan and Korea
    r")" + _AFTER_NUMBER,
    re.ASCII,
)
_CARD = re.compile(
    _BEFORE_NUMBER
    + r"(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|35\d\d|62\d\d)([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?"
    r"|3[47]\d\d([ -]?)\d{6}\2\d{5})" + _AFTER_NUMBER,
    re.ASCII,
)
_ID_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.])[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])",
    re.ASCII,
)
_IPV4 = re.compile(
    r"(?<![\w.:/-])(?<!version )(?<!Version )(?<!v )(?:\d{1,3}\.){3}\d{1,3}(?![\w/-]|\.\w)"
    r"|(?<=//)(?:\d{1,3}\.){3}\d{1,3}(?![\w.-])",
    re.ASCII,
)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:.])", re.ASCII)
# Resolvers and the like that everybody cites.
_PUBLIC_SERVICES = frozenset(
    ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220")
)

_KEY_BLOCK = (
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.{20,10000}?"
    r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
)
_SECRET = re.compile(
    r"(?<![A-Za-z0-9_-])(?:sk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{20,200}|[sr]k_live_[A-Za-z0-9]{20,200}|A(?:KIA|SIA)[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{20,64}|xox[abprs]-[A-Za-z0-9-]{10,200}"
    r"|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{30,64}|npm_[A-Za-z0-9]{36}|LTAI[A-Za-z0-9]{12,30}"
    r"|eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000})(?![A-Za-z0-9])"
    rf"|{_KEY_BLOCK}",
    re.DOTALL,
)
_SECRET_HINTS = (
    "sk-", "k_live_", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "AIza",
    "hf_", "npm_", "LTAI", "eyJ", "PRIVATE KEY",
)  # fmt: skip


def _luhn(digits: str) -> bool:
    """The checksum of card numbers, ISO/IEC 7812-1 annex B."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _is_email(match: re.Match[str]) -> bool:
    return not _NOBODY.search(match.group(1)) and not match.group().startswith("git@")


# North American numbers that are nobody's: toll-free lines and the area code of made-up numbers.
_PUBLIC_AREAS = frozenset(("800", "822", "833", "844", "855", "866", "877", "888", "555"))


def _is_phone(match: re.Match[str]) -> bool:
    digits = _digits(match.group())
    # a round number is an amount, and one digit over and over is a placeholder
    if len(digits) in (10, 11) and digits[-10:-7] in _PUBLIC_AREAS and digits[:-10] in ("", "1"):
        return False
    least = 10 if match.group()[0] == "+" else 8  # a sign before a shorter number is arithmetic
    return least <= len(digits) <= 15 and not digits.endswith("00000") and len(set(digits)) > 2


def _is_card(match: re.Match[str]) -> bool:
    digits = _digits(match.group())
    return len(set(digits)) > 1 and _luhn(digits)


def _is_id_number(match: re.Match[str]) -> bool:
    """The checksum of Chinese resident identity numbers, GB 11643-1999 (ISO 7064 MOD 11-2)."""
    number = match.group().upper()
    total = sum(int(digit) * pow(2, 17 - index, 11) for index, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17]


def _is_address(match: re.Match[str]) -> bool:
    text = match.group()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    # few digits are a section or a version; what is not global is nobody's
    return address.is_global and not address.is_multicast and len(text) >= 11 and text not in _PUBLIC_SERVICES


def _is_secret(match: re.Match[str]) -> bool:
    text = match.group()
    if not any(map(str.isdigit, text)):
        return False
    return text.startswith("-----") or (
        len(set(text)) > 8 and "EXAMPLE" not in text.upper() and "xxxx" not in text.lower()
    )


# The shape of a text: digits, what stands before a digit in a key but hardly does in prose, and the rest.
_KEY_CHARACTERS = frozenset(b"-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SHAPE = bytes(48 if 48 <= byte <= 57 else 97 if byte in _KEY_CHARACTERS else 32 for byte in range(256))
_NOT_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)
_WITHIN_NUMBERS = b" .():-"
_EIGHT_DIGITS = b"0" * 8

_SECRET_SIGN, _EMAIL_SIGN, _NUMBER_SIGN, _HEX_SIGN = 1, 2, 4, 8


def _signs(text: str, data: bytes, marks: bytes) -> int:
    """Which kinds a text may hold, as a sum of signs: yes too often, never no too often.

    data: the text in UTF-8; marks: its `@` and digits and maybe more, in order (as in `View`).
    """
    signs = _EMAIL_SIGN if b"@" in marks else 0
    digits = len(marks.translate(None, _NOT_DIGITS))
    if not digits:  # a key has one, too
        return signs
    if b"a0" in data.translate(_SHAPE) and any(hint in text for hint in _SECRET_HINTS):
        signs |= _SECRET_SIGN
    if digits >= 8 and _EIGHT_DIGITS in data.translate(_SHAPE, _WITHIN_NUMBERS):
        signs |= _NUMBER_SIGN
    if data.count(b":") > 6:
        signs |= _HEX_SIGN
    return signs


class _Kind(NamedTuple):
    name: str
    mask: str
    sign: int
    pattern: re.Pattern[str]
    proof: Callable[[re.Match[str]], bool]


# in the order of application: the longer and surer first
_KINDS = (
    _Kind("secret", "[SECRET]", _SECRET_SIGN, _SECRET, _is_secret),
    _Kind("email", "[EMAIL]", _EMAIL_SIGN, _EMAIL, _is_email),
    _Kind("ip_address", "[IP_ADDRESS]", _HEX_SIGN, _IPV6, _is_address),
    _Kind("id_number", "[ID_NUMBER]", _NUMBER_SIGN, _ID_NUMBER, _is_id_number),
    _Kind("card", "[CARD_NUMBER]", _NUMBER_SIGN, _CARD, _is_card),
    _Kind("phone", "[PHONE]", _NUMBER_SIGN, _PHONE, _is_phone),
    _Kind("ip_address", "[IP_ADDRESS]", _NUMBER_SIGN, _IPV4, _is_address),
)

# What every number is a part of, and how far around it the patterns look.
_NUMBER = re.compile(r"\d[\d .():-]{6,}\d", re.ASCII)
_AROUND = 24


def _around_numbers(text: str, edit: Callable[[str], str]) -> str:
    """`edit` applied to the surroundings of the numbers in `text`, so that its patterns need not search the rest."""
    windows: list[list[int]] = []
    for match in _NUMBER.finditer(text):
        start, end = max(0, match.start() - _AROUND), match.end() + _AROUND
        if windows and start <= windows[-1][1]:
            windows[-1][1] = end
        else:
            windows.append([start, end])
    parts: list[str] = []
    position = 0
    for start, end in windows:
        parts += (text[position:start], edit(text[start:end]))
        position = end
    return "".join(parts) + text[position:]


# where a turn holds what people wrote beside its texts
_HIDDEN = frozenset(("tool_calls", "refusal", "rejected_messages"))


class PersonalData(TextRule):
    name = "personal_data"
    summary = (
        "Masks e-mail addresses, phone, card and Chinese identity numbers, public internet addresses and keys; each "
        "kind may be masked, kept, or a reason to drop the conversation."
    )
    reasons = tuple(dict.fromkeys(f"personal_{kind.name}" for kind in _KINDS))

    class Params(TextRule.Params):
        email: Choice = Field("mask", description="e-mail addresses but those of reserved example domains")
        phone: Choice = Field("mask", description="international, North American, Chinese, Japanese, Korean numbers")
        card: Choice = Field("mask", description="payment cards: known prefix and Luhn checksum")
        id_number: Choice = Field("mask", description="Chinese resident identity numbers: date and checksum")
        ip_address: Choice = Field("mask", description="public IPv4 and IPv6 addresses")
        secret: Choice = Field("mask", description="API keys with a known prefix, JSON web tokens, private key blocks")

    params: Params

    def screen(self, view: View) -> bool:
        if view.marks and _signs(view.text, view.data, view.marks) > 0:
            return True
        return any(turn.extra is not None and not _HIDDEN.isdisjoint(turn.extra) for turn in view.turns)

    def fix(self, text: str, field: str) -> tuple[str, int]:
        fixed, counts = self._masked(text)
        return fixed, sum(counts.values())

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        changes: list[Change] = []
        out = list(turns)
        for index, turn in enumerate(turns):
            better: dict[str, Any] = {}
            for field, text in turn.texts():
                fixed, counts = self._masked(text)
                for kind, count in counts.items():
                    # which kind and how many; never the datum itself
                    changes.append(Change(self.name, self.version, index + 1, field, count, kind))
                    if getattr(self.params, kind) == "drop":
                        return Outcome(tuple(out), tuple(changes), f"personal_{kind}", f"{count} in {field}")
                if fixed != text:
                    better[field] = fixed
            hidden, counts = self._masked_beside(turn)
            for kind, count in counts.items():
                changes.append(Change(self.name, self.version, index + 1, "extra", count, kind))
                if getattr(self.params, kind) == "drop":
                    return Outcome(
                        tuple(out), tuple(changes), f"personal_{kind}", f"{count} in what stands beside the texts"
                    )
            if hidden:
                better["extra"] = {**(turn.extra or {}), **hidden}
            if better:
                out[index] = turn._replace(**better)
        return Outcome(tuple(out), tuple(changes)) if changes else Outcome(turns)

    def _masked_beside(self, turn: Turn) -> tuple[dict[str, Any], dict[str, int]]:
        """What changes of tool calls, refusals and losing answers, and how many places of each kind."""
        counts: dict[str, int] = {}

        def mask(text: str) -> str:
            fixed, own = self._masked(text)
            for kind, count in own.items():
                counts[kind] = counts.get(kind, 0) + count
            return fixed

        better = {}
        for key in _HIDDEN.intersection(turn.extra or ()):
            value = (turn.extra or {})[key]
            fixed = in_value(value, mask)
            if fixed != value:
                better[key] = fixed
        return better, counts

    def _masked(self, text: str) -> tuple[str, dict[str, int]]:
        """The masked text, and how many places of each kind."""
        counts: dict[str, int] = {}
        data = text.encode("utf-8", "surrogatepass")
        signs = _signs(text, data, data)
        if not signs:
            return text, counts
        wanted = [kind for kind in _KINDS if signs & kind.sign and getattr(self.params, kind.name) != "keep"]
        for kind in wanted:
            if kind.sign != _NUMBER_SIGN:
                text = _replaced(kind, text, counts)
        numbers = [kind for kind in wanted if kind.sign == _NUMBER_SIGN]
        if numbers:
            text = _around_numbers(text, lambda window: _all_replaced(numbers, window, counts))
        return text, counts


def _replaced(kind: _Kind, text: str, counts: dict[str, int]) -> str:
    def mask(match: re.Match[str]) -> str:
        if not kind.proof(match):
            return match.group()
        counts[kind.name] = counts.get(kind.name, 0) + 1
        return kind.mask

    return kind.pattern.sub(mask, text)


def _all_replaced(kinds: Sequence[_Kind], text: str, counts: dict[str, int]) -> str:
    for kind in kinds:
        text = _replaced(kind, text, counts)
    return text
