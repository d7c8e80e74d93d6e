"""Whitespace: line ends, trailing blanks, runs of blank lines and zero-width spaces."""

from __future__ import annotations

import re
from operator import ne

from pydantic import Field

from corpus_pipeline.stages.clean.rules.base import FENCES, TextRule, View, outside

_BLANKS = " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_END_CHARACTERS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_BLANK_START = re.compile("\\A\n+")
_LINE_ENDS = re.compile(f"\r\n?|[{_LINE_END_CHARACTERS}]")
# Scripts without blanks between words (Thai to Khmer, Balinese, Javanese) mark the borders with U+200B: it stays there.
_ZERO_WIDTH = re.compile(
    "(?<![\u0e00-\u109f\u1780-\u17ff\u1950-\u1aad\u1b00-\u1b7f\ua980-\uaa7f])"
    "[\u200b\u2060\u180e]+(?![\u0e00-\u109f\u1780-\u17ff\u1950-\u1aad\u1b00-\u1b7f\ua980-\uaa7f])"
)
_BEYOND_ASCII = re.compile("[\x85\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000]")
_MARKS = re.compile(rb"[\r\x0b\x0c\x1c-\x1e]")


def _has_odd_line_ends(text: str) -> bool:
    return any(map(text.__contains__, _LINE_END_CHARACTERS))


class Whitespace(TextRule):
    name = "whitespace"
    summary = (
        "Turns every line end into a line feed, removes blanks at line ends, blank lines at both ends and in excess, "
        "and zero-width spaces; indentation, fenced code and ideographic spaces inside text stay."
    )

    class Params(TextRule.Params):
        max_blank_lines: int = Field(2, ge=0, description="blank lines in a row that are kept")

    params: Params

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        keep = self.params.max_blank_lines + 1
        self._run = "\n" * (keep + 1)
        self._runs = re.compile(f"\n{{{keep + 1},}}")
        self._kept = "\n" * keep

    def screen(self, view: View) -> bool:
        if any(map(self._is_untidy, view.texts)):
            return True
        if view.marks and (b"\t" in view.marks or _MARKS.search(view.marks)):
            return True
        return bool(view.beyond) and _BEYOND_ASCII.search(view.beyond) is not None

    def _is_untidy(self, text: str) -> bool:
        """Whether the commonest faults are there: blank lines, or blanks at line ends, that should not be."""
        if "\n" in text and (text[0] == "\n" or " \n" in text or self._run in text):
            return True
        return text != "" and text[-1].isspace()

    def fix(self, text: str, field: str) -> tuple[str, int]:
        if text.isascii() and "\t" not in text and not self._is_untidy(text) and not _has_odd_line_ends(text):
            return text, 0
        count = 0
        if _has_odd_line_ends(text):
            text, count = _LINE_ENDS.subn("\n", text)
        if not text.isascii():
            text, hidden = _ZERO_WIDTH.subn("", text)
            count += hidden
        text, trimmed = outside(FENCES, text, self._trim)
        edges = len(text)
        text = _BLANK_START.sub("", text).rstrip("\n")
        return text, count + trimmed + (len(text) < edges)

    def _trim(self, text: str) -> tuple[str, int]:
        lines = text.split("\n")
        trimmed = [line.rstrip(_BLANKS) for line in lines]
        count = sum(map(ne, lines, trimmed))
        text = "\n".join(trimmed)
        runs = 0
        if self._run in text:
            text, runs = self._runs.subn(self._kept, text)
        return text, count + runs
