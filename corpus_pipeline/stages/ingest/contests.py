"""Records of two answers side by side and a verdict, `response_a`, `response_b` and `winner`: the mapping that makes pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.paths import leaves
from corpus_pipeline.formats.vocabulary import several_answers
from corpus_pipeline.lazy_patterns import lazily

_SIDES = (("a", "b"), ("A", "B"), ("0", "1"), ("1", "2"))
_NAME = lazily(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)  # what a template can say as it is
_POINTS = lazily(r"score|rating|reward|votes|winner", re.I)
_VERDICTS = tuple(
    lazily(words, re.I) for words in ("winner|better|preferred|chosen|best|choice", "preference", "label")
)


def answers_and_verdict(records: Sequence[Record]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """For each verdict: the places of the two answers, and `chosen` and `rejected` as a recipe's columns say them."""
    found = [dict(leaves(record)) for record in records]
    texts = (
        [place for place, value in found[0].items() if isinstance(value, str) and _NAME.fullmatch(place)]
        if found
        else []
    )
    for sides in _SIDES:
        pairs = {place: other for place in texts if (other := _swapped(place, *sides)) in texts}
        named = [place for place in pairs if several_answers({place.rpartition(".")[2]: found[0][place]})]
        for place in named or [place for place in pairs if len(str(found[0][place]).split()) > 1]:
            for first, second in _verdicts(found, *sides):
                one, two = place, pairs[place]
                yield (
                    one,
                    two,
                    {
                        "chosen": f"{{{{ {one} if {first} else {two} if {second} else '' }}}}",
                        "rejected": f"{{{{ {two} if {first} else {one} if {second} else '' }}}}",
                    },
                )


def _swapped(text: str, one: str, two: str) -> str | None:
    """A name of one side as that of the other side; None when it names no side."""
    behind = "" if one.islower() else "|(?<=[a-z])"
    found = list(re.finditer(rf"(?:(?<=[_\-. ])|\A{behind}){one}(?![A-Za-z0-9])", text))
    return text[: found[-1].start()] + two + text[found[-1].end() :] if found else None


def _verdicts(found: Sequence[Mapping[str, Any]], one: str, two: str) -> Iterator[tuple[str, str]]:
    """The conditions under which each side won, the surest first."""
    for place, value in found[0].items():
        other = _swapped(place, one, two)
        if other in found[0] and _POINTS.search(place) and isinstance(value, int | float) and _NAME.fullmatch(place):
            yield f"{place} > {other}", f"{other} > {place}"
    for words in _VERDICTS:
        for place in found[0]:
            if _NAME.fullmatch(place) and words.search(place.rpartition(".")[2]):
                values = {value for record in found if isinstance(value := record.get(place), str | int | float)}
                yield from _by_value(place, values, one, two)


def _by_value(place: str, values: set[Any], one: str, two: str) -> Iterator[tuple[str, str]]:
    names = [(value, other) for value in values if isinstance(value, str) and (other := _swapped(value, one, two))]
    for value, other in names[:1]:
        yield f"{place} == '{value}'", f"{place} == '{other}'"
    names = [(other, value) for value in values if isinstance(value, str) and (other := _swapped(value, two, one))]
    for other, value in names[:1]:
        yield f"{place} == '{other}'", f"{place} == '{value}'"
    numbers = {value for value in values if isinstance(value, int | float)}
    if numbers and one.isdigit() and numbers <= {int(one), int(two)}:
        yield f"{place} == {one}", f"{place} == {two}"
    elif any(number < 0 for number in numbers):
        yield f"{place} < 0", f"{place} > 0"
