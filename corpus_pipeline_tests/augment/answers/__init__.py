"""Labelled answers, in parts; see README.md."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from corpus_pipeline_tests.augment.answers.making import of_part
from corpus_pipeline_tests.augment.answers.rows import answers_of

_WRITTEN: Final = {
    "second": "second_set",
    "tuning": "tuning_set",
    "third": "third_set",
    "fourth": "fourth_set",
    "fifth": "fifth_set",
}
PARTS: Final = ("tune", "held", *_WRITTEN)


def answers_of_part(part: str) -> Iterator[dict[str, Any]]:
    """The labelled answers of one of `PARTS`, as `benchmarks/answers.py` reads them."""
    if part in _WRITTEN:
        yield from answers_of(import_module(f"{__name__}.{_WRITTEN[part]}").ROWS)
        return
    for one in of_part(part):
        yield {**one._asdict(), "prompt": one.asked, "response": one.known}
