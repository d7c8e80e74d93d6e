"""What is written in the place of a datum: a label (`[EMAIL]`), or something of the same type that is no one's."""

from __future__ import annotations

import re
from collections.abc import Callable

LABELS = {
    "email": "[EMAIL]",
    "phone": "[PHONE]",
    "card": "[CARD_NUMBER]",
    "iban": "[IBAN]",
    "id_number": "[ID_NUMBER]",
    "passport": "[PASSPORT]",
    "ip_address": "[IP_ADDRESS]",
    "wallet": "[WALLET]",
    "secret": "[SECRET]",
    "password": "[PASSWORD]",
    "name": "[NAME]",
}
_MOST_HOSTS = 254

StandIn = Callable[[str, str], str]


def label(kind: str, datum: str) -> str:
    """The label of the kind, in brackets."""
    return LABELS[kind]


class SameType:
    """Stand-ins of the same type, one for each datum of a record: the same datum, the same stand-in.

    Addresses and numbers come from the ranges that are reserved for examples; of all else letters become X and digits
    0, in the same layout, so that no check digit holds.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}

    def __call__(self, kind: str, datum: str) -> str:
        """The stand-in of a datum."""
        key = kind, datum
        found = self._known.get(key)
        if found is None:
            number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
            found = self._known[key] = _made(kind, datum, number)
        return found


def _made(kind: str, datum: str, number: int) -> str:
    if kind == "email":
        return f"person{number}@example.com"
    if kind == "ip_address":
        if ":" in datum:
            return f"2001:db8::{number:x}"
        return f"192.0.2.{1 + (number - 1) % _MOST_HOSTS}"
    if kind == "phone":
        return f"+1 555 010 {number % 10_000:04d}"
    if kind == "name":
        return f"Person {number}"
    return _blank(datum)


def _blank(datum: str) -> str:
    """The same layout with nothing in it."""
    return re.sub(r"[^\W\d_]", lambda match: "X" if match.group().isupper() else "x", re.sub(r"\d", "0", datum))
