"""Records with two answers side by side and a verdict on them: `response1`, `response2`, `overall_preference: -2`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from corpus_pipeline.formats.any_messages import message_keys
from corpus_pipeline.formats.vocabulary import plain_name
from corpus_pipeline.lazy_patterns import lazily

_SIDES = (("a", "b"), ("0", "1"), ("1", "2"))
_ANSWER = lazily(
    r"((?:model|assistant|human)?(?:response|answer|completion|output|reply|generation|conversation|ref))([ab012])"
)
_NAMED = lazily(r"(?:model|response|answer|assistant|conversation|completion|output|option|candidate)?([ab012])")
# whose value names one of the sides
_WINNERS = tuple("winner betterresponse betteranswer preference preferred verdict choice".split())
_IDS = ("betterresponseid", "betteranswerid")  # the number of the better one
_SIGNED = ("overallpreference", "preferencestrength")  # below nought: the first one is better
_SCORES = ("score", "rating", "reward", "overallscore")
_NOBODY = ("tie", "bothbad", "tiebothbad", "equal", "neither")


class Verdict(NamedTuple):
    """The keys of two answers. decided: whether the first of the two won over the other; False for a tie."""

    won: str
    lost: str
    decided: bool


def verdict_on(record: Mapping[str, Any]) -> Verdict | None:
    """Which of two answers won; None when there are not exactly two that are named alike, or nothing says which."""
    plain = {plain_name(key): key for key in record}
    found = _two_answers(record, plain)
    if found is None:
        return None
    base, sides = found
    keys = [plain[base + side] for side in sides]
    best = _best(record, plain, base, sides)
    if best is None:
        return None
    return Verdict(keys[1], keys[0], True) if best > 0 else Verdict(keys[0], keys[1], best < 0)


def _two_answers(record: Mapping[str, Any], plain: Mapping[str, str]) -> tuple[str, tuple[str, str]] | None:
    by_base: dict[str, list[str]] = {}
    for name, key in plain.items():
        matched = _ANSWER.fullmatch(name)
        if matched and matched[1] and _is_said(record[key]):
            by_base.setdefault(matched[1], []).append(matched[2])
    fitting = [(base, pair) for base, ends in by_base.items() for pair in _SIDES if sorted(ends) == list(pair)]
    if len(fitting) != 1:
        return None
    base, pair = fitting[0]
    more = "c" if pair[0] == "a" else str(int(pair[1]) + 1)
    return None if base + more in plain else (base, pair)


def _is_said(value: Any) -> bool:
    """Whether this is a text or a conversation; a list that was written as text is neither."""
    if isinstance(value, str):
        return bool(value) and not value.startswith(('["', "[{"))
    return isinstance(value, list) and bool(value) and message_keys(value) is not None


def _best(record: Mapping[str, Any], plain: Mapping[str, str], base: str, sides: tuple[str, str]) -> float | None:
    """Below nought: the first one won; above: the second; nought: neither; None: nothing says."""
    for name in _WINNERS:
        side = _named_side(record[plain[name]], sides) if name in plain else None
        if side is not None:
            return side
    for name in _IDS if sides == ("0", "1") else ():
        side = record[plain[name]] if name in plain else None
        if _is_number(side) and side in (0, 1):
            return 1 if side else -1
    for head in ("winner", "winnermodel", "winnerresponse"):
        flags: list[Any] = [record.get(plain.get(head + side, "")) for side in sides]
        if all(isinstance(flag, int) and flag in (0, 1) for flag in flags):
            return float(flags[1] - flags[0])
    for name in _SIGNED:
        value = record[plain[name]] if name in plain else None
        if isinstance(value, int | float) and _is_number(value):
            return value
    if base == "humanref" and record.get("labels") in (0, 1):
        return -1 if record["labels"] else 1
    for head in _SCORES:
        scores: list[Any] = [record.get(plain.get(head + side, "")) for side in sides]
        if all(map(_is_number, scores)):
            return float(scores[1] - scores[0])
    return None


def _named_side(value: Any, sides: tuple[str, str]) -> int | None:
    if not isinstance(value, str):
        return None
    name = plain_name(value.strip())
    if name in _NOBODY:
        return 0
    if name.isdecimal():  # counted from nought, from one, or how much better: who knows
        return None
    matched = _NAMED.fullmatch(name)
    if matched is None or matched[1] not in sides:
        return None
    return -1 if matched[1] == sides[0] else 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
